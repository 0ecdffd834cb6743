// Checks the canary's zip with other means than those that wrote it: fflate's reader, the ELF's own length, and the
// random marker that only this canary had in its memory. In file mode it checks the kernel's file.
import { constants } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { unzipSync } from "fflate/browser";
import { isCoreName, isDumpInfoName } from "../../model/dump-entries.ts";
import { asKnownInfo } from "../../model/dump-info.ts";
import { ElfCoreReader } from "../../model/core-extent.ts";

/** The largest zip. The core has 1.3 MB; a pod's logs and descriptions are extra. */
const ZIP_MAX_BYTES = 64 << 20;

/** What the zip shows. */
export interface CanaryZip {
  coreBytes: number;
  /** The pieces that the composer on the host could not get, as "what: why". */
  missing: string[];
  /** Settings that the composer found not to fit the host. */
  settingsIgnored: string[];
}

/** Checks and reads a canary's zip. Throws an Error that says what is wrong with it. */
export async function readCanaryZip(path: string, exe: string, marker: Buffer): Promise<CanaryZip> {
  const { size } = await stat(path);
  if (size > ZIP_MAX_BYTES) throw new Error(`the zip has ${size} bytes`);
  const entries = Object.entries(unzipSync(await readFile(path)));
  const core = entries.find(([name]) => isCoreName(name))?.[1];
  const infoText = entries.find(([name]) => isDumpInfoName(name))?.[1];
  if (core === undefined || infoText === undefined)
    throw new Error(`the zip holds only ${entries.map(([name]) => name).join(", ")}`);
  const info = asKnownInfo(JSON.parse(new TextDecoder().decode(infoText)));
  if (info.exe !== exe)
    throw new Error(`dump-info names ${info.exe ?? "nothing"} instead of ${exe}`);
  if (info.core_complete !== true)
    throw new Error(`the core was cut short by ${info.truncated_by ?? "something unknown"}`);
  checkCore(core, marker);
  return {
    coreBytes: core.length,
    missing: (info.missing ?? []).map(({ what, why }) => `${what}: ${why}`),
    settingsIgnored: info.settings_ignored ?? [],
  };
}

/** Checks a canary's core file and returns its size in bytes. Throws an Error that says what is wrong with it. */
export async function readCanaryFile(path: string, marker: Buffer): Promise<number> {
  // Follows no link, because others may write to this folder.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > ZIP_MAX_BYTES)
      throw new Error(`${path} is no file of ${ZIP_MAX_BYTES} bytes at most`);
    const core = await file.readFile();
    checkCore(core, marker);
    return core.length;
  } finally {
    await file.close();
  }
}

function checkCore(core: Uint8Array, marker: Buffer): void {
  const elf = new ElfCoreReader();
  elf.push(core);
  if (elf.expectedBytes === null || core.length < elf.expectedBytes)
    throw new Error(
      `the core has ${core.length} bytes of ${elf.expectedBytes ?? "an unknown number"}`,
    );
  if (!Buffer.from(core.buffer, core.byteOffset, core.length).includes(marker))
    throw new Error("the core does not show the canary's memory");
}
