// Partial files as the composer itself writes them, kept at each stage that it can be killed in.
import { closeSync, copyFileSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AttemptLog } from "../../src/composer/attempt.ts";
import { CoreDrain } from "../../src/composer/core-drain.ts";
import { CoreInput } from "../../src/composer/core-input.ts";
import { firstFacts } from "../../src/composer/dump-facts.ts";
import { openArchive } from "../../src/composer/opening.ts";
import { PartialFile } from "../../src/composer/partial-file.ts";
import { sealArchive } from "../../src/composer/sealing.ts";
import { partialName } from "../../src/model/core-file.ts";
import { compressionOf, type CompressionSetting } from "../../src/model/core-compression.ts";
import type { CrashContext } from "../../src/model/crash-context.ts";
import type { DumpInfo } from "../../src/model/dump-info.ts";
import { DEFAULT_TEMPLATE } from "../../src/model/dump-name.ts";

export interface PartialStages {
  /** Every byte of the core is written, and nothing after it. */
  drained: string;
  /** The whole zip, not yet published. */
  sealed: string;
}

const UUID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const BASE = `${UUID}-dump-1700000000-web-1-server-7-11`;

const CRASH: CrashContext = {
  hostPid: 7,
  hostTid: 7,
  pid: 7,
  signal: 11,
  timestampSeconds: 1_700_000_000,
  limitSize: "0",
  uid: 0,
  gid: 0,
  dumpable: 1,
  pidfd: null,
  hostname: "web-1",
  exeName: "server",
  pathname: "!bin!server",
};

export const SMALL_ENTRIES = [
  { suffix: "-pod-info.json", data: Buffer.from('{"id":"pod"}\n') },
  { suffix: "-0.log", data: Buffer.from("a line\n".repeat(5000)) },
];

/** Writes the stages of one dump into `folder`, as plain files that nobody locks. */
export async function writePartialStages(
  folder: string,
  core: Uint8Array,
  compress: CompressionSetting,
  more: Partial<DumpInfo> = {},
): Promise<PartialStages> {
  writeFileSync(join(folder, "input"), core);
  const input = openSync(join(folder, "input"), "r");
  const info = { ...firstFacts(UUID, CRASH), ...more };
  const file = await PartialFile.create(folder, UUID);
  const path = join(folder, partialName(UUID));
  const settings = { FILENAME_TEMPLATE: DEFAULT_TEMPLATE, COMPRESSION: compress };
  const archive = await openArchive(file, info, settings);
  const drain = new CoreDrain(CoreInput.open(input), archive, {
    compression: compressionOf(compress),
    maxCoreBytes: 0,
    hasSpace: async () => true,
    onFirstBytes: () => undefined,
    onLastBytes: async () => undefined,
    onReadError: (error) => {
      throw error;
    },
  });
  const end = await drain.run();
  closeSync(input);
  const stages = { drained: join(folder, "drained"), sealed: join(folder, "sealed") };
  copyFileSync(path, stages.drained);
  const attempts = new AttemptLog();
  const compression = compressionOf(compress);
  const job = { archive, drain, end, compression, base: BASE, info, attempts };
  await sealArchive({ ...job, entries: SMALL_ENTRIES });
  copyFileSync(path, stages.sealed);
  await file.abandon();
  return stages;
}
