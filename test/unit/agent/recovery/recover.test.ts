import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRecovery } from "../../../../src/agent/recovery/recover.ts";
import { openLog } from "../../../../src/host/log.ts";
import { tryLock } from "../../../../src/host/libc.ts";
import type { DumpInfo } from "../../../../src/model/dump-info.ts";
import { CORE_BLOCK_BYTES, FIRST_ENTRY_ROOM_BYTES } from "../../../../src/model/partial-layout.ts";
import {
  SMALL_ENTRIES,
  writePartialStages,
  type PartialStages,
} from "../../../support/partial-dump.ts";
import { gatedTest, missingProgram } from "../../../support/gate.ts";
import { sampleCore } from "../../../support/sample-core.ts";

const CORE = sampleCore(5 * CORE_BLOCK_BYTES + 77_777);
const UUID = "11111111-2222-4333-8444-555555555555";

let folder: string;
let coreDir: string;
let stages: Record<"deflated" | "stored", PartialStages>;
let lines: Record<string, unknown>[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "recovery-"));
  for (const name of ["deflated", "stored"]) mkdirSync(join(folder, name));
  stages = {
    deflated: await writePartialStages(join(folder, "deflated"), CORE, true),
    stored: await writePartialStages(join(folder, "stored"), CORE, false),
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
const events = () => lines.map(({ event }) => event);

/** What a composer left that was killed some time ago. */
function leave(source: string, keepBytes = Infinity): string {
  const path = join(coreDir, `.cdh-${UUID}.partial`);
  copyFileSync(source, path);
  if (keepBytes < statSync(path).size) truncateSync(path, keepBytes);
  age(path);
  return path;
}

function age(path: string): void {
  const minuteAgo = Date.now() / 1000 - 60;
  utimesSync(path, minuteAgo, minuteAgo);
}

interface Recovered {
  info: DumpInfo;
  core: Buffer;
  names: string[];
}

/** A test whose zips unzip has to read. */
function readableTest(name: string, body: () => void | Promise<void>, timeoutMs = 60_000): void {
  gatedTest(name, [missingProgram("unzip")], body, timeoutMs);
}

/** Reads the one zip in CORE_DIR with Info-ZIP's unzip, which checks every CRC. */
function readRecovered(): Recovered {
  expect(readdirSync(coreDir)).toHaveLength(1);
  const zip = join(coreDir, readdirSync(coreDir)[0] ?? "");
  const check = Bun.spawnSync(["unzip", "-tqq", zip]);
  expect(check.stdout.toString() + check.stderr.toString()).toBe("");
  const read = (pattern: string) => Bun.spawnSync(["unzip", "-p", zip, pattern]).stdout;
  return {
    info: JSON.parse(read("*-dump-info.json").toString()) as DumpInfo,
    core: read("*.core"),
    names: Bun.spawnSync(["unzip", "-Z1", zip]).stdout.toString().trim().split("\n"),
  };
}

readableTest(
  "a core that was whole on the disk is recovered whole, without the metadata",
  async () => {
    leave(stages.deflated.drained);
    expect(await recover()).toBe(1);
    const { info, core, names } = readRecovered();
    expect(core.equals(CORE)).toBe(true);
    expect(info).toMatchObject({
      uuid: UUID,
      exe: "server",
      core_bytes: CORE.length,
      core_expected_bytes: CORE.length,
      core_complete: true,
      truncated_by: null,
    });
    expect(info.missing.map(({ what }) => what)).toEqual(["metadata"]);
    expect(names).toEqual([expect.stringContaining("-dump-info.json"), info.dump_file]);
  },
);

readableTest("a small core is recovered as one", async () => {
  const small = { core_content: "stacks", core_omitted_bytes: 4e9 } as const;
  const written = mkdtempSync(join(folder, "small-"));
  leave((await writePartialStages(written, CORE, true, small)).drained);
  await recover();
  expect(readRecovered().info).toMatchObject({ ...small, core_complete: true });
});

readableTest("a zip that was only not yet published comes out with every entry", async () => {
  leave(stages.deflated.sealed);
  await recover();
  const { info, core, names } = readRecovered();
  expect(core.equals(CORE)).toBe(true);
  expect(info.core_complete).toBe(true);
  expect(names.slice(2)).toEqual(
    SMALL_ENTRIES.map(({ suffix }) => info.dump_file.replace(".core", suffix)),
  );
});

for (const method of ["deflated", "stored"] as const)
  readableTest(
    `a ${method} dump cut at any place keeps every whole block, truthfully labelled`,
    async () => {
      const { size } = statSync(stages[method].sealed);
      let shortest = Infinity;
      for (let kept = size; kept > FIRST_ENTRY_ROOM_BYTES + 512; kept -= 23_456) {
        leave(stages[method].sealed, kept);
        expect(await recover()).toBe(1);
        const { info, core } = readRecovered();
        expect(core.equals(CORE.subarray(0, core.length))).toBe(true);
        expect(info.core_bytes).toBe(core.length);
        expect(info.core_complete).toBe(core.length === CORE.length);
        expect(info.truncated_by).toBe(core.length === CORE.length ? null : "killed");
        // What is on the disk is lost by less than one block.
        expect(core.length).toBeGreaterThan((kept / size) * CORE.length * 0.1 - CORE_BLOCK_BYTES);
        expect(core.length).toBeLessThanOrEqual(shortest);
        shortest = core.length;
        for (const name of readdirSync(coreDir)) rmSync(join(coreDir, name));
      }
      expect(shortest).toBeLessThan(CORE_BLOCK_BYTES);
    },
    60_000,
  );

readableTest("a tail of zeros, as a power loss leaves it, is cut away", async () => {
  const path = leave(stages.deflated.drained, statSync(stages.deflated.drained).size - 5000);
  truncateSync(path, statSync(path).size + 100_000);
  age(path);
  await recover();
  const { info, core } = readRecovered();
  expect(core.equals(CORE.subarray(0, core.length))).toBe(true);
  expect(core.length % CORE_BLOCK_BYTES).toBe(0);
  expect(core.length).toBeGreaterThanOrEqual(4 * CORE_BLOCK_BYTES);
  expect(info.core_complete).toBe(false);
});

readableTest("with the head torn the core is still recovered", async () => {
  const path = leave(stages.deflated.drained);
  const file = Bun.file(path);
  const bytes = Buffer.from(await file.arrayBuffer());
  bytes.fill(0, 8192, 12_000);
  bytes.fill("x", FIRST_ENTRY_ROOM_BYTES - 40, FIRST_ENTRY_ROOM_BYTES);
  writeFileSync(path, bytes);
  age(path);
  await recover();
  const { info, core } = readRecovered();
  expect(core.equals(CORE)).toBe(true);
  expect(info.uuid).toBe(UUID);
});

readableTest("a dump killed before its core began is published with an empty core", async () => {
  leave(stages.deflated.sealed, FIRST_ENTRY_ROOM_BYTES);
  await recover();
  const { info, core } = readRecovered();
  expect(core.length).toBe(0);
  expect(info).toMatchObject({ exe: "server", core_bytes: 0, core_complete: false });
});

test("a file with nothing in it is cleared away and said", async () => {
  leave(stages.deflated.sealed, 100);
  expect(await recover()).toBe(0);
  expect(readdirSync(coreDir)).toEqual([]);
  expect(events()).toEqual(["partial_discarded"]);
});

test("a dump under way is left alone: its composer holds the lock", async () => {
  const path = leave(stages.deflated.drained);
  const fd = openSync(path, "r+");
  try {
    expect(tryLock(fd)).toBe(true);
    expect(await recover()).toBe(0);
    expect(existsSync(path)).toBe(true);
  } finally {
    closeSync(fd);
  }
  expect(await recover()).toBe(1);
});

test("a file that was made just now may be a composer's that has not locked it yet", async () => {
  const path = leave(stages.deflated.drained);
  utimesSync(path, new Date(), new Date());
  expect(await recover()).toBe(0);
  expect(existsSync(path)).toBe(true);
});

test("a dump that was published already is not published twice", async () => {
  const path = leave(stages.deflated.sealed);
  linkSync(path, join(coreDir, "published.zip"));
  expect(await recover()).toBe(0);
  expect(readdirSync(coreDir)).toEqual(["published.zip"]);
});

readableTest(
  "recovery that was killed itself, after sealing, starts again and ends the same",
  async () => {
    leave(stages.deflated.sealed);
    await recover();
    const first = readRecovered();
    const zip = readdirSync(coreDir)[0] ?? "";
    leave(join(coreDir, zip));
    rmSync(join(coreDir, zip));
    await recover();
    const second = readRecovered();
    expect(second.core.equals(first.core)).toBe(true);
    expect(second.names).toEqual(first.names);
  },
);

test("files of others are left alone and said once", async () => {
  writeFileSync(join(coreDir, "core.1234"), "");
  writeFileSync(join(coreDir, ".nfs0001"), "");
  const recovery = openRecovery(coreDir, log);
  await recovery.run();
  await recovery.run();
  expect(readdirSync(coreDir).sort()).toEqual([".nfs0001", "core.1234"]);
  expect(events()).toEqual(["foreign_file", "foreign_file"]);
});
