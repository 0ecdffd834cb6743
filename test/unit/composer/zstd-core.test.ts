// Cores compressed with zstd, read by bsdtar (libarchive) from a file and from a pipe, and by our own reader.
import { expect } from "bun:test";
import { randomFillSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CORE_BLOCK_BYTES as B } from "../../../src/model/partial-layout.ts";
import { findEntry, openDumpZip, readEntry } from "../../../src/reading/dump-zip.ts";
import { openFileSource } from "../../../src/store/byte-source.ts";
import { BASE, composeZip, type Composition } from "../../support/composed-zip.ts";
import { FullDisk } from "../../support/full-disk.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { withPipe } from "../../support/piped-input.ts";
import { sampleCore } from "../../support/sample-core.ts";
import { openTestSpool } from "../../support/spooling.ts";
import { withFolder } from "../../support/temporary-folder.ts";

/** Composes a core with zstd and returns what each reader makes of it. */
function compose(core: Uint8Array, composition: Partial<Composition> = {}, diskBytes = 64 << 20) {
  return withFolder(async (folder) => {
    writeFileSync(join(folder, "core"), core);
    return withPipe(folder, "exec cat core", async ({ fd }) => {
      const disk = new FullDisk(diskBytes);
      const composed = await composeZip(fd, disk, { compress: "zstd", ...composition });
      const zip = join(folder, `${BASE}.zip`);
      writeFileSync(zip, disk.content);
      const byFile = await outputOf(["bsdtar", "-xOf", zip, `${BASE}.core`]);
      const byPipe = await outputOf(["sh", "-c", `cat "$0" | bsdtar -xOf - ${BASE}.core`, zip]);
      const bySelf = await readSelf(zip);
      return { ...composed, read: [byFile, byPipe, bySelf], zipBytes: readFileSync(zip).length };
    });
  });
}

/**
 * libarchive 3.6 gives out all of an entry and yet calls it truncated where its length is a multiple of its buffer's,
 * whoever wrote it: archive_read_support_format_zip.c expects room in the buffer at the end.
 */
const LIBARCHIVE_BUFFER_BYTES = 256 * 1024;

async function outputOf(command: string[]): Promise<Buffer> {
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
  const output = Buffer.from(await child.stdout.bytes());
  if (output.length % LIBARCHIVE_BUFFER_BYTES !== 0) expect(await child.exited).toBe(0);
  return output;
}

async function readSelf(path: string): Promise<Buffer> {
  const source = await openFileSource(path);
  const zip = await openDumpZip(source);
  const chunks: Uint8Array[] = [];
  for await (const chunk of readEntry(zip, findEntry(zip, "core"))) chunks.push(chunk);
  await source.close();
  return Buffer.concat(chunks);
}

const zstdTest = (name: string, body: () => Promise<void>) =>
  gatedTest(name, [missingProgram("bsdtar")], body, 60_000);

zstdTest("cores of every length around a block come back as they were", async () => {
  for (const sizeBytes of [0, 1, 121, B - 1, B, B + 1, 2 * B, 5 * B - 1]) {
    const core = sizeBytes < 120 ? Buffer.alloc(sizeBytes, 7) : sampleCore(sizeBytes, sizeBytes);
    const { info, read } = await compose(core);
    expect([sizeBytes, info.core_bytes]).toEqual([sizeBytes, sizeBytes]);
    for (const [index, bytes] of read.entries())
      expect([sizeBytes, index, bytes.equals(core)]).toEqual([sizeBytes, index, true]);
  }
});

zstdTest("zeros, in the core and as holes, come back, and cost nearly nothing", async () => {
  const core = sampleCore(40 * B + 5, 8).fill(0, 2 * B);
  const { read, zipBytes } = await compose(core);
  for (const bytes of read) expect(bytes.equals(core)).toBe(true);
  expect(zipBytes).toBeLessThan(2 * B);
});

zstdTest("a core through a spool comes back as it was", async () => {
  const core = sampleCore(24 << 20, 4).fill(0, 30 * B, 45 * B);
  await withFolder(async (folder) => {
    const { spool } = openTestSpool(folder);
    const { read } = await compose(core, { options: { spool } });
    for (const bytes of read) expect(bytes.equals(core)).toBe(true);
    await spool.remove();
  });
});

zstdTest("a full disk cuts the core between two blocks, and every reader takes it", async () => {
  const core = sampleCore(30 * B, 9);
  randomFillSync(core, 3 * B); // noise, so that the disk's size says where the core ends
  const { zipBytes } = await compose(core);
  for (const part of [0.2, 0.5, 0.9]) {
    const { info, read } = await compose(core, {}, Math.floor(zipBytes * part));
    expect(info).toMatchObject({ core_complete: false, truncated_by: "no_space" });
    for (const bytes of read) expect(bytes.equals(core.subarray(0, info.core_bytes))).toBe(true);
  }
});

zstdTest("a size limit cuts there", async () => {
  const core = sampleCore(3 * B, 7);
  for (const limit of [1, B - 1, B, B + 1]) {
    const { info, read } = await compose(core, { options: { maxCoreBytes: limit } });
    expect(info.truncated_by).toBe("size_limit");
    for (const bytes of read) expect(bytes.equals(core.subarray(0, limit))).toBe(true);
  }
});
