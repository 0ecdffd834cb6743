// A core that comes faster than it is compressed, through a spool on a real file.
import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { QueuedBlock } from "../../../src/composer/queued-block.ts";
import type { SpoolContext, SpoolStore } from "../../../src/composer/spool.ts";
import type { SpoolFile } from "../../../src/host/spool-file.ts";
import { CORE_BLOCK_BYTES } from "../../../src/model/partial-layout.ts";
import { SPOOL_SLOT_BYTES } from "../../../src/model/spool-layout.ts";
import { BASE, composeZip } from "../../support/composed-zip.ts";
import { FullDisk } from "../../support/full-disk.ts";
import { gatedTest } from "../../support/gate.ts";
import { withPipe } from "../../support/piped-input.ts";
import { sampleCore } from "../../support/sample-core.ts";
import { openTestSpool, type TestSpool } from "../../support/spooling.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const CORE = coreWithHoles(24 << 20);

/** Noise and text, and zeros of every length up to some runs of blocks. */
function coreWithHoles(sizeBytes: number): Buffer {
  const core = sampleCore(sizeBytes, 3);
  for (const [at, blocks] of [
    [20, 1],
    [30, 2],
    [40, 9],
    [60, 20],
  ] as const)
    core.fill(0, at * CORE_BLOCK_BYTES, (at + blocks) * CORE_BLOCK_BYTES);
  return core;
}

const BLOCK: QueuedBlock = {
  offset: 0,
  sizeBytes: CORE_BLOCK_BYTES,
  crc: 0,
  isZeros: false,
  memory: new Uint8Array(SPOOL_SLOT_BYTES),
  slot: undefined,
  state: "waiting",
  isSpooling: true,
};

interface Spooled extends TestSpool {
  core: Buffer;
  isLeft: boolean;
}

/** Composes CORE through a spool; unzip checks the zip. */
function compose(
  context: Partial<SpoolContext> = {},
  faults?: (file: SpoolFile) => Partial<SpoolStore>,
): Promise<Spooled> {
  return withFolder((folder) => {
    writeFileSync(join(folder, "core"), CORE);
    return withPipe(folder, "exec cat core", async ({ fd }) => {
      // The zip is written slowly, so that the compressor falls behind on any machine.
      const disk = new FullDisk(2 * CORE.length, 5);
      const opened = openTestSpool(folder, context, faults);
      try {
        await composeZip(fd, disk, { options: { spool: opened.spool } });
      } finally {
        await opened.spool.remove();
      }
      const zip = join(folder, `${BASE}.zip`);
      writeFileSync(zip, disk.content);
      const unzip = Bun.spawn(["unzip", "-p", zip, "*.core"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const core = Buffer.from(await unzip.stdout.bytes());
      expect(await unzip.exited).toBe(0);
      return { ...opened, core, isLeft: existsSync(join(folder, "spool")) };
    });
  });
}

const RUNS_MAX = 60;

/**
 * Runs until `isEnough`: how much is spooled depends on how fast this machine compresses. Throws where no run is.
 */
async function until<T>(isEnough: (found: T) => boolean, run: () => Promise<T>): Promise<T> {
  for (let runs = 0; runs < RUNS_MAX; runs++) {
    const found = await run();
    if (isEnough(found)) return found;
  }
  throw new Error(`none of ${RUNS_MAX} runs spooled enough`);
}

const spoolTest = (name: string, body: () => Promise<void>) =>
  gatedTest(name, [readersObstacle()], body, 60_000);

spoolTest(
  "what the compressor does not take in time is spooled, and comes back in order",
  async () => {
    const { core, isLeft } = await until(
      ({ slots }) => slots.written > 0,
      () => compose(),
    );
    expect(core.equals(CORE)).toBe(true);
    expect(isLeft).toBe(false);
  },
);

spoolTest("the spool's room comes free while it is used up", async () => {
  // Room is given back in pieces, so a run that spooled little may end without.
  const { slots } = await until(
    ({ slots: { written } }) => written >= 40,
    () => compose(),
  );
  expect(slots.freed).toBeGreaterThan(0);
});

spoolTest("a limit of nothing spools nothing", async () => {
  const { core, slots } = await compose({ limitBytes: () => 0 });
  expect(core.equals(CORE)).toBe(true);
  expect(slots.written).toBe(0);
});

spoolTest("a small limit is kept, and given back room is used again", async () => {
  const limitBytes = 8 * SPOOL_SLOT_BYTES;
  const { core, slots } = await compose({ limitBytes: () => limitBytes });
  expect(core.equals(CORE)).toBe(true);
  // One batch may be on its way when the limit is reached.
  expect(slots.most).toBeLessThanOrEqual(8 + 4);
});

spoolTest("a disk that refuses the spool costs nothing of the core", async () => {
  for (const refusedAt of [0, 1, 3]) {
    const { core, pauses } = await until(
      (found) => found.writes > refusedAt,
      async () => {
        let writes = 0;
        const spooled = await compose({}, (file) => ({
          write: async (slot, parts) => {
            if (writes++ === refusedAt) throw Object.assign(new Error("full"), { code: "ENOSPC" });
            await file.write(slot, parts);
          },
        }));
        return { ...spooled, writes };
      },
    );
    expect([refusedAt, core.equals(CORE)]).toEqual([refusedAt, true]);
    expect(pauses).toEqual(["Error: full"]);
  }
});

spoolTest("a spool that cannot be made costs nothing of the core", async () => {
  const { core } = await compose({ create: () => Promise.reject(new Error("no")) });
  expect(core.equals(CORE)).toBe(true);
});

for (const [compressor, speed, isPaused] of [
  ["a faster compressor", 1e12, true],
  ["a slower one", 1, false],
] as const)
  test(`beside ${compressor} the disk is ${isPaused ? "left alone for a while" : "used"}`, () =>
    withFolder(async (folder) => {
      const { spool, pauses } = openTestSpool(folder);
      spool.noteCompressed(speed, 1, 1);
      for (let slot = 0; slot < 5; slot++) expect(await spool.write(slot, [BLOCK])).toBe(true);
      expect(spool.canGrow(5)).toBe(!isPaused);
      expect(pauses).toEqual(isPaused ? ["the disk is slower than the compressor"] : []);
      await spool.remove();
    }));

spoolTest("a spool that comes back changed is no core: the drain fails and says so", async () => {
  const { said } = await until(
    ({ reads }) => reads > 0,
    async () => {
      let reads = 0;
      const composing = compose({}, (file) => ({
        read: async (slot, into) => {
          reads++;
          const length = await file.read(slot, into);
          into[5000] = (into[5000] ?? 0) ^ 1;
          return length;
        },
      }));
      const failure = await composing.then(
        () => "nothing",
        (error: unknown) => String(error),
      );
      return { reads, said: failure };
    },
  );
  expect(said).toContain("is not what was written");
});
