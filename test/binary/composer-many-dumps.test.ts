// A CORE_DIR of thousands of dumps at its limit: room is made by a process of its own, and the dump is whole.
import { expect } from "bun:test";
import { closeSync, openSync, readdirSync, utimesSync, writeSync } from "node:fs";
import { join } from "node:path";
import { markOwner } from "../../src/host/owner-mark.ts";
import { runComposerProcess } from "../support/composer-process.ts";
import { executablePath } from "../support/executable.ts";
import { gatedTest } from "../support/gate.ts";
import { installComposer } from "../support/installed-composer.ts";
import { withFolder } from "../support/temporary-folder.ts";

const DUMPS = 1_500;
const DUMP_BYTES = 4096;
const LIMITS = { quota: String(DUMPS * DUMP_BYTES), free: "0" };

function fill(coreDir: string): void {
  for (let at = 0; at < DUMPS; at++) {
    const path = join(coreDir, `dump-${at}.zip`);
    const fd = openSync(path, "w");
    writeSync(fd, Buffer.alloc(DUMP_BYTES, 1));
    markOwner(fd, { namespace: "mallory", workload: `w${at}` });
    closeSync(fd);
    utimesSync(path, at, at);
  }
}

gatedTest("make-room tells the room that it made, and whose the evicted dumps were", [], () =>
  withFolder(async (folder) => {
    const composer = await installComposer(folder);
    const { coreDir, hostDir } = composer;
    fill(coreDir);
    const order = { coreDir, hostDir, uuid: "the-dump", ...LIMITS, asker: "victim" };
    const child = Bun.spawn([await executablePath(), "make-room", JSON.stringify(order)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const room = await child.stdout.json();
    expect(room).toMatchObject({ underWay: 0, quotaBytes: DUMPS * DUMP_BYTES });
    expect(room.roomBytes).toBeGreaterThanOrEqual(4 << 20);
    const evicted = await composer.log();
    expect(evicted).toHaveLength(DUMPS - readdirSync(coreDir).length);
    expect(evicted[0]).toMatchObject({
      uuid: "the-dump",
      event: "dump_evicted",
      namespace: "mallory",
      zip: "dump-0.zip",
    });
  }),
);

gatedTest("a dump among them is whole", [], () =>
  withFolder(async (folder) => {
    const settings = { DISK_QUOTA: LIMITS.quota, DISK_FREE: "0", DISK_RESERVE: "0" };
    const composer = await installComposer(folder, settings);
    fill(composer.coreDir);
    const script = "head -c 2000000 /dev/urandom";
    expect(await runComposerProcess(composer, { script })).toBe(0);
    const log = await composer.log();
    const published = log.filter(({ event }) => event === "dump_published");
    expect(published).toMatchObject([{ core_bytes: 2_000_000, truncated_by: null }]);
    expect(log.some(({ event }) => event === "dump_evicted")).toBe(true);
  }),
);
