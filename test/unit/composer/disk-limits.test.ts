import { expect, test } from "bun:test";
import { closeSync, openSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openDiskLimits, type DiskRules } from "../../../src/composer/disk-limits.ts";
import { ComposerLog } from "../../../src/host/composer-log.ts";
import { tryLock } from "../../../src/host/libc.ts";
import { markOwner } from "../../../src/host/owner-mark.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const MIB = 2 ** 20;
const RULES: DiskRules = { quota: String(16 * MIB), free: "0", reserveBytes: 0 };

interface Limited {
  coreDir: string;
  lockPath: string;
  open: (rules?: DiskRules) => ReturnType<typeof openDiskLimits>;
}

/** A CORE_DIR with a quota of 16 MiB that sixteen dumps of `namespace`, 1 MiB each, fill. */
async function withFullFolder(namespace: string, body: (limited: Limited) => Promise<void>) {
  await withFolder(async (folder) => {
    const coreDir = join(folder, "cores");
    await mkdir(coreDir);
    for (let age = 1; age <= 16; age++) {
      const path = join(coreDir, `${age}.zip`);
      writeFileSync(path, new Uint8Array(MIB).fill(1));
      const fd = openSync(path, "r");
      expect(markOwner(fd, { namespace, workload: `w${age}` })).toBe(true);
      closeSync(fd);
      utimesSync(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
    }
    const log = new ComposerLog(folder, "u", "info");
    const context = { coreDir, hostDir: folder, uuid: "u", log };
    const open: Limited["open"] = (rules = RULES) =>
      openDiskLimits({ ...context, rules, asker: () => "(unknown)" });
    await body({ coreDir, lockPath: join(folder, "eviction.lock"), open });
  });
}

test("older dumps make room before the first byte is read", () =>
  withFullFolder("shop", async ({ coreDir, open }) => {
    expect(await open().hasSpace(MIB)).toBe(true);
    expect(readdirSync(coreDir)).toHaveLength(12);
  }));

test("a core does not wait for an eviction that takes long: it goes on meanwhile", () =>
  withFullFolder("shop", async ({ coreDir, lockPath, open }) => {
    const lock = openSync(lockPath, "w");
    expect(tryLock(lock)).toBe(true);
    const limits = open();
    for (let block = 0; block < 50; block++) expect(await limits.hasSpace(MIB / 4)).toBe(true);
    expect(readdirSync(coreDir)).toHaveLength(16);
    closeSync(lock);
    // Made beside the drain, once the other process lets go.
    while (readdirSync(coreDir).length === 16) {
      expect(await limits.hasSpace(MIB / 4)).toBe(true);
      await Bun.sleep(1);
    }
    limits.end();
  }));

test("where nothing more may go the core ends", () =>
  withFullFolder("shop", async ({ open }) => {
    const limits = open({ ...RULES, quota: String(MIB) });
    expect(await limits.hasSpace(MIB / 4)).toBe(false);
    expect(await limits.hasSpace(MIB / 4)).toBe(false);
  }));
