// The compiled composer with a spool: killed at random moments, on a small disk, many at once. What it had read is in the
// zip afterwards, its own or the agent's, and no spool is left.
import { expect } from "bun:test";
import {
  existsSync,
  readFileSync,
  readdirSync,
  statfsSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openRecovery } from "../../src/agent/recovery/recover.ts";
import { openLog } from "../../src/host/log.ts";
import { CORE_BLOCK_BYTES } from "../../src/model/partial-layout.ts";
import { runComposerProcess, startComposerProcess } from "../support/composer-process.ts";
import { gatedTest } from "../support/gate.ts";
import { installComposer, type InstalledComposer } from "../support/installed-composer.ts";
import { judgeZips } from "../support/many-zips.ts";
import { sampleCore } from "../support/sample-core.ts";
import { withSmallDisk } from "../support/small-disk.ts";
import { withFolder } from "../support/temporary-folder.ts";
import { readersObstacle } from "../support/zip-readers.ts";

/** Moments tried; set CDH_TEST_ROUNDS=100 for the long campaign. */
const ROUNDS = Number(process.env["CDH_TEST_ROUNDS"] ?? 12);
const CORE = sampleCore(96 << 20, 5);
/** What a killed composer had in memory only, and the pipe: the blocks of its queue and lanes, and 1 MiB. */
const IN_MEMORY_BYTES = 12 * CORE_BLOCK_BYTES + (1 << 20);
const root = process.getuid?.() === 0 ? undefined : "needs root (mounts)";

/** Writes the core, and how much of it was taken, also when its reader is killed. */
const COUNTED = `(trap '' PIPE; exec dd if=core bs=65536 2>taken); exec sleep 60`;

async function bytesTaken(folder: string): Promise<number> {
  for (;;) {
    const path = join(folder, "taken");
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const found = /^(\d+) bytes/m.exec(text)?.[1];
    if (found !== undefined) return Number(found);
    await Bun.sleep(5);
  }
}

async function recover(coreDir: string): Promise<void> {
  const minuteAgo = Date.now() / 1000 - 60;
  for (const name of readdirSync(coreDir)) utimesSync(join(coreDir, name), minuteAgo, minuteAgo);
  const log = openLog({ level: "Error", format: "json", write: (line) => console.error(line) });
  await openRecovery(coreDir, log).run();
}

interface Killed {
  takenBytes: number;
  hadSpool: boolean;
}

/** Kills a composer that is so many ms old. */
async function killAfter(composer: InstalledComposer, ms: number): Promise<Killed> {
  const running = startComposerProcess(composer, { script: COUNTED });
  await Bun.sleep(ms);
  running.kill("SIGKILL");
  const hadSpool = readdirSync(composer.coreDir).some((name) => name.endsWith(".spool"));
  await running.exit;
  return { takenBytes: await bytesTaken(composer.folder), hadSpool };
}

gatedTest(
  `SIGKILL at ${ROUNDS} random moments loses nothing that was read but what was in memory`,
  [readersObstacle()],
  () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, "core"), CORE);
      const composer = await installComposer(folder, {});
      const begun = performance.now();
      await runComposerProcess(composer, { script: "exec cat core" });
      const spanMs = performance.now() - begun;
      let spools = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await Promise.all(
          readdirSync(composer.coreDir).map((name) => rm(join(composer.coreDir, name))),
        );
        const { takenBytes, hadSpool } = await killAfter(composer, Math.random() * spanMs);
        if (hadSpool) spools++;
        await recover(composer.coreDir);
        const names = readdirSync(composer.coreDir);
        // Killed before it had made its file, it had read the pipe's first bytes at most.
        if (names.length === 0 && takenBytes < IN_MEMORY_BYTES) continue;
        expect(names).toEqual([expect.stringMatching(/\.zip$/)]);
        const [zip] = Object.values(await judgeZips(composer.coreDir));
        const kept = zip?.sizes[1] ?? 0;
        expect({ hadSpool, takenBytes, ...zip }).toMatchObject({
          bad: null,
          info: { core_bytes: kept, core_complete: kept === CORE.length },
        });
        expect(kept).toBeGreaterThanOrEqual(Math.min(CORE.length, takenBytes - IN_MEMORY_BYTES));
        const core = await runBinary([
          "unzip",
          "-p",
          join(composer.coreDir, names[0] ?? ""),
          "*.core",
        ]);
        expect(core.equals(CORE.subarray(0, kept))).toBe(true);
      }
      expect(spools).toBeGreaterThan(0);
    }),
  600_000,
);

gatedTest(
  "a disk too small for core and spool takes what it can, whole and labelled",
  [readersObstacle(), root],
  () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, "core"), CORE);
      for (const size of ["4m", "20m", "50m", "80m", "400m"])
        await withSmallDisk(size, async (CORE_DIR) => {
          const limits = { DISK_RESERVE: 0, DISK_QUOTA: "100%", DISK_FREE: "0" };
          const settings = { ...limits, SPOOL_MAX: "100%", FILENAME_TEMPLATE: "T", CORE_DIR };
          const composer = await installComposer(join(folder, size), settings);
          await runComposerProcess({ ...composer, folder }, { script: "exec cat core" });
          expect(readdirSync(CORE_DIR)).toEqual(["T.zip"]);
          const { "T.zip": zip } = await judgeZips(CORE_DIR);
          const kept = zip?.sizes[1] ?? 0;
          const truncated_by = kept === CORE.length ? null : "no_space";
          expect([size, zip?.bad, zip?.info]).toMatchObject([
            size,
            null,
            { core_bytes: kept, truncated_by },
          ]);
        });
    }),
  120_000,
);

gatedTest(
  "fifty at once keep the quota, and leave no spool",
  [readersObstacle(), root],
  () =>
    withFolder(async (folder) => {
      const core = sampleCore(12 << 20, 6);
      writeFileSync(join(folder, "core"), core);
      await withSmallDisk("300m", async (CORE_DIR) => {
        const settings = { DISK_QUOTA: "150M", DISK_FREE: "50M", CORE_DIR };
        const composer = await installComposer(folder, settings);
        const most = watchUsed(CORE_DIR);
        try {
          const start = () => runComposerProcess(composer, { script: "exec cat core" });
          await Promise.all(Array.from({ length: 50 }, start));
        } finally {
          most.stop();
        }
        expect(readdirSync(CORE_DIR).filter((name) => !name.endsWith(".zip"))).toEqual([]);
        for (const zip of Object.values(await judgeZips(CORE_DIR))) {
          const kept = zip.sizes[1] ?? 0;
          expect(zip).toMatchObject({ bad: null, info: { core_bytes: kept } });
          expect(zip.info["core_complete"]).toBe(kept === core.length);
        }
        // Fifty composers look now and then, and may each be some blocks ahead of what they know.
        expect(most.bytes).toBeLessThan(250e6);
      });
    }),
  300_000,
);

/** Watches how much a filesystem holds at most, in bytes. */
function watchUsed(path: string): { bytes: number; stop: () => void } {
  const watch = { bytes: 0, stop: () => clearInterval(timer) };
  const timer = setInterval(() => {
    const { blocks, bfree, bsize } = statfsSync(path);
    watch.bytes = Math.max(watch.bytes, (blocks - bfree) * bsize);
  }, 5);
  return watch;
}

async function runBinary(command: string[]): Promise<Buffer> {
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "ignore"] });
  return Buffer.from(await child.stdout.bytes());
}
