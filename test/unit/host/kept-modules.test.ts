// The folder of modules on a node: marks, bounds by namespace, and how modules give way to cores.
import { expect, test } from "bun:test";
import { mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeRoom, measureRoom } from "../../../src/host/disk-room.ts";
import {
  createModule,
  dropModules,
  forgetOldModules,
  isKept,
  listKeptModules,
  markStored,
  modulesFolder,
  whyNoRoom,
  type KeptModule,
} from "../../../src/host/kept-modules.ts";
import { keptName, storedName } from "../../../src/model/module-id.ts";
import { temporaryFolder, writeDump } from "../../support/dumps.ts";
import { failureOf } from "../../support/failure.ts";

const SHOP = { namespace: "shop", workload: "w" };
let count = 0;

function identity() {
  const sha256 = (++count).toString(16).padStart(64, "0");
  return { id: sha256.slice(-40), sha256 };
}

async function add(coreDir: string, sizeBytes: number, namespace = "shop") {
  const made = identity();
  const file = await createModule(coreDir, { ...SHOP, namespace });
  await file.write(new Uint8Array(sizeBytes).fill(7), 0);
  await file.publish(made);
  await file.end();
  return made;
}

test("a module that the store has leaves a mark of its size that takes no room", async () => {
  const coreDir = temporaryFolder();
  const made = await add(coreDir, 100_000);
  const [module] = listKeptModules(coreDir);
  if (module === undefined) throw new Error("nothing is kept");
  await markStored(coreDir, module);
  expect(isKept(coreDir, made)).toBe(true);
  expect(listKeptModules(coreDir)).toMatchObject([
    { isStored: true, sizeBytes: 100_000, diskBytes: 0, namespace: "shop" },
  ]);
  const old = join(modulesFolder(coreDir), "stored", storedName(made));
  utimesSync(old, 1, 1);
  forgetOldModules(coreDir, 1000, 1000);
  expect(isKept(coreDir, made)).toBe(false);
});

test("a file under way is no module, and is removed when its writer has gone", async () => {
  const coreDir = temporaryFolder();
  const file = await createModule(coreDir, SHOP);
  await file.write(new Uint8Array(10), 0);
  expect(listKeptModules(coreDir)).toEqual([]);
  forgetOldModules(coreDir, 0, -1);
  expect(await failureOf(file.end())).toContain("ENOENT");
});

const kept = (namespace: string, sizeBytes: number, isStored = false): KeptModule => ({
  ...identity(),
  path: "",
  namespace,
  sizeBytes,
  diskBytes: sizeBytes,
  modifiedMs: 0,
  isStored,
});

test("a namespace may not fill the folder, nor the store within a day", () => {
  const wish = { namespace: "shop", sizeBytes: 100, roomBytes: 1000 };
  expect(whyNoRoom([], wish, 0)).toBeUndefined();
  expect(whyNoRoom([], { ...wish, sizeBytes: 600 }, 0)).toContain("no room");
  expect(whyNoRoom([kept("shop", 400)], wish, 0)).toContain("too much waiting");
  expect(whyNoRoom([kept("other", 400)], wish, 0)).toBeUndefined();
  const many = Array.from({ length: 1000 }, () => kept("shop", 1, true));
  expect(whyNoRoom(many, wish, 0)).toContain("within a day");
  expect(whyNoRoom(many, { ...wish, namespace: "other" }, 0)).toBeUndefined();
  expect(whyNoRoom(many, wish, 2 * 86_400_000)).toBeUndefined();
});

test("modules give way before any dump does, those of the largest namespace first", async () => {
  const hostDir = temporaryFolder();
  const coreDir = join(hostDir, "cores");
  mkdirSync(coreDir);
  writeDump(coreDir, "T.zip", { coreBytes: 300_000 });
  writeDump(coreDir, "U.zip", { coreBytes: 300_000 });
  const large = await add(coreDir, 400_000, "large");
  const small = await add(coreDir, 100_000, "small");
  const limits = { quota: "1000000", free: "0" };
  const before = await measureRoom(coreDir, limits);
  const wish = { wantedBytes: before.roomBytes + 300_000, lockPath: join(hostDir, "lock") };
  const evicted: string[] = [];
  await makeRoom(coreDir, limits, wish, ({ zip }) => evicted.push(zip));
  expect(evicted).toEqual([]);
  expect([isKept(coreDir, large), isKept(coreDir, small)]).toEqual([false, true]);
  expect(statSync(join(coreDir, "T.zip")).isFile()).toBe(true);
});

test("what is not a module's file is left alone", () => {
  const coreDir = temporaryFolder();
  mkdirSync(modulesFolder(coreDir));
  const foreign = join(modulesFolder(coreDir), "notes.txt");
  writeFileSync(foreign, "mine");
  utimesSync(foreign, 1, 1);
  forgetOldModules(coreDir, 0, 0);
  expect(dropModules(coreDir, Infinity)).toEqual([]);
  expect(statSync(foreign).isFile()).toBe(true);
  expect(keptName({ id: "ab".repeat(20), sha256: "c".repeat(64) })).toMatch(/^(?:ab){20}\.c{64}$/);
});
