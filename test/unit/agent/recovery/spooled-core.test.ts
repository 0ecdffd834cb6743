// Partials whose killed composer left a spool beside them, in every state that a kill or a power loss leaves.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { openRecovery } from "../../../../src/agent/recovery/recover.ts";
import { tryLock } from "../../../../src/host/libc.ts";
import { openLog } from "../../../../src/host/log.ts";
import { SpoolFile } from "../../../../src/host/spool-file.ts";
import { partialName, spoolName } from "../../../../src/model/core-file.ts";
import type { DumpInfo } from "../../../../src/model/dump-info.ts";
import {
  CORE_BLOCK_BYTES as B,
  FIRST_ENTRY_ROOM_BYTES,
} from "../../../../src/model/partial-layout.ts";
import {
  SPOOL_HEAD_BYTES,
  SPOOL_SLOT_BYTES,
  writeSpoolHead,
} from "../../../../src/model/spool-layout.ts";
import { HEADER_ROOM_BYTES } from "../../../../src/model/zip-records.ts";
import { gatedTest, missingProgram } from "../../../support/gate.ts";
import { writePartialStages, type PartialStages } from "../../../support/partial-dump.ts";
import { sampleCore } from "../../../support/sample-core.ts";

const UUID = "11111111-2222-4333-8444-555555555555";
/** Blocks 3 to 6 are zeros, the last block is short. */
const CORE = sampleCore(9 * B + 4321, 2).fill(0, 3 * B, 7 * B);

/** dump-info and the core's header: what a composer writes first. */
const HEAD_BYTES = FIRST_ENTRY_ROOM_BYTES + HEADER_ROOM_BYTES;

let folder: string;
let coreDir: string;
let stages: Record<"deflated" | "zstd", PartialStages>;
let lines: Record<string, unknown>[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spooled-"));
  for (const name of ["deflated", "zstd"]) mkdirSync(join(folder, name));
  stages = {
    deflated: await writePartialStages(join(folder, "deflated"), CORE, true),
    zstd: await writePartialStages(join(folder, "zstd"), CORE, "zstd"),
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  coreDir = mkdtempSync(join(folder, "cores-"));
  lines = [];
});

const log = openLog({
  level: "Debug",
  format: "json",
  write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
});
const recover = () => openRecovery(coreDir, log).run();

function age(name: string): void {
  const minuteAgo = Date.now() / 1000 - 60;
  utimesSync(join(coreDir, name), minuteAgo, minuteAgo);
}

function leavePartial(keptShare: number, method: "deflated" | "zstd" = "deflated"): void {
  const path = join(coreDir, partialName(UUID));
  copyFileSync(stages[method].drained, path);
  truncateSync(path, Math.max(HEAD_BYTES, Math.floor(statSync(path).size * keptShare)));
  age(partialName(UUID));
}

/** Writes the core from a block on, the zeros as one run, with `lost` slots given back. */
async function leaveSpool(
  fromBlock = 0,
  lost = 0,
  change?: (bytes: Buffer, slot: number) => void,
): Promise<void> {
  const spool = await SpoolFile.create(join(coreDir, spoolName(UUID)));
  let slot = 0;
  for (let offset = fromBlock * B; offset < CORE.length; slot++) {
    const isZeros = offset === 3 * B;
    const sizeBytes = isZeros ? 4 * B : Math.min(B, CORE.length - offset);
    const bytes = Buffer.alloc(SPOOL_HEAD_BYTES + (isZeros ? 0 : sizeBytes));
    if (!isZeros) CORE.copy(bytes, SPOOL_HEAD_BYTES, offset, offset + sizeBytes);
    const crc = crc32(CORE.subarray(0, offset + sizeBytes));
    writeSpoolHead(bytes, { offset, sizeBytes, crc, isZeros });
    change?.(bytes, slot);
    await spool.write(slot, [bytes]);
    offset += sizeBytes;
  }
  if (lost > 0) spool.free(0, lost);
  await spool.close();
  age(spoolName(UUID));
}

function readRecovered(): { info: DumpInfo; core: Buffer } {
  const names = readdirSync(coreDir);
  expect(names).toEqual([expect.stringMatching(/\.zip$/)]);
  const zip = join(coreDir, names[0] ?? "");
  // Python checks each entry that it can read, bsdtar the core; of a zstd core of whole blocks it finds its end too late.
  const read = (pattern: string) => Bun.spawnSync(["bsdtar", "-xOf", zip, pattern]).stdout;
  const info = JSON.parse(read("*-dump-info.json").toString()) as DumpInfo;
  const core = read("*.core");
  expect(Bun.spawnSync(["python3", "-c", CRC_OF_CORE, zip]).stdout.toString().trim()).toBe(
    `${crc32(core)} ${core.length}`,
  );
  return { info, core };
}

/** What the directory says about the core. */
const CRC_OF_CORE =
  "import sys, zipfile; i = zipfile.ZipFile(sys.argv[1]).infolist()[1]; print(i.CRC, i.file_size)";

/** Returns how many bytes were kept. */
function expectKept(atLeastBytes: number, atMostBytes = CORE.length): number {
  const { info, core } = readRecovered();
  expect(core.equals(CORE.subarray(0, core.length))).toBe(true);
  expect(core.length).toBeGreaterThanOrEqual(atLeastBytes);
  expect(core.length).toBeLessThanOrEqual(atMostBytes);
  const isWhole = core.length === CORE.length;
  expect(info).toMatchObject({
    core_bytes: core.length,
    core_complete: isWhole,
    truncated_by: isWhole ? null : "killed",
  });
  return core.length;
}

const spoolTest = (name: string, body: () => Promise<void>) =>
  gatedTest(name, [missingProgram("bsdtar")], body, 60_000);

for (const method of ["deflated", "zstd"] as const) {
  spoolTest(`a ${method} partial cut anywhere is made whole from its spool`, async () => {
    for (const share of [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1]) {
      leavePartial(share, method);
      await leaveSpool();
      expect(await recover()).toBe(1);
      expectKept(CORE.length);
      for (const name of readdirSync(coreDir)) rmSync(join(coreDir, name));
    }
  });

  spoolTest(`a ${method} partial without a spool keeps every whole block`, async () => {
    let before = 0;
    for (const share of [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
      leavePartial(share, method);
      await recover();
      before = expectKept(before, 9 * B);
      for (const name of readdirSync(coreDir)) rmSync(join(coreDir, name));
    }
    expect(before).toBeGreaterThan(0);
  });
}

spoolTest("a zstd partial with a block that a power loss has emptied ends before it", async () => {
  leavePartial(1, "zstd");
  const path = join(coreDir, partialName(UUID));
  const bytes = readFileSync(path);
  const middle = Math.floor((HEAD_BYTES + bytes.length) / 2);
  writeFileSync(path, bytes.fill(0, middle, middle + 4096));
  age(partialName(UUID));
  await recover();
  expectKept(0, 9 * B);
});

spoolTest("slots that were given back are not missed", async () => {
  leavePartial(1);
  await leaveSpool(0, 3);
  await recover();
  expectKept(CORE.length);
});

spoolTest("a gap between partial and spool ends the core before it", async () => {
  leavePartial(0.02);
  await leaveSpool(2);
  await recover();
  expectKept(0, B);
});

spoolTest("a spool that a power loss has cut adds what is whole of it", async () => {
  leavePartial(0.02);
  await leaveSpool();
  truncateSync(join(coreDir, spoolName(UUID)), 2 * SPOOL_SLOT_BYTES + 1000);
  age(spoolName(UUID));
  await recover();
  expectKept(2 * B, 2 * B);
});

spoolTest("a slot that a power loss has emptied, or changed, ends the core before it", async () => {
  for (const change of [
    (bytes: Buffer) => void bytes.fill(0),
    (bytes: Buffer) => void bytes.fill(0, SPOOL_HEAD_BYTES),
    (bytes: Buffer) => void bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000),
  ]) {
    leavePartial(0.02);
    await leaveSpool(0, 0, (bytes, slot) => (slot === 2 ? change(bytes) : undefined));
    await recover();
    expectKept(2 * B, 2 * B);
    for (const name of readdirSync(coreDir)) rmSync(join(coreDir, name));
  }
});

spoolTest("a spool alone, with nothing of its partial on the disk, is the whole core", async () => {
  leavePartial(1);
  truncateSync(join(coreDir, partialName(UUID)), 0);
  age(partialName(UUID));
  await leaveSpool();
  await recover();
  expectKept(CORE.length);
});

spoolTest("recovery that was killed on the way goes on", async () => {
  leavePartial(1);
  await leaveSpool();
  await recover();
  const [zip = ""] = readdirSync(coreDir);
  // The sealed zip's end is cut, as if the agent had not come so far; the spool's first slots are gone.
  copyFileSync(join(coreDir, zip), join(coreDir, partialName(UUID)));
  rmSync(join(coreDir, zip));
  truncateSync(
    join(coreDir, partialName(UUID)),
    statSync(join(coreDir, partialName(UUID))).size - 9000,
  );
  age(partialName(UUID));
  await leaveSpool(0, 2);
  await recover();
  expectKept(CORE.length);
});

test("a spool without its partial is removed, unless somebody holds it", async () => {
  await leaveSpool();
  const held = await open(join(coreDir, spoolName(UUID)), "r+");
  expect(tryLock(held.fd)).toBe(true);
  expect(await recover()).toBe(0);
  expect(readdirSync(coreDir)).toEqual([spoolName(UUID)]);
  await held.close();
  await recover();
  expect(readdirSync(coreDir)).toEqual([]);
});

test("the spool of a dump under way is left alone", async () => {
  leavePartial(1);
  await leaveSpool();
  const held = await open(join(coreDir, partialName(UUID)), "r+");
  expect(tryLock(held.fd)).toBe(true);
  expect(await recover()).toBe(0);
  expect(readdirSync(coreDir)).toHaveLength(2);
  await held.close();
});
