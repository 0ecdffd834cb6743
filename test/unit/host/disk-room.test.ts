import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeRoom, measureRoom, type Evicted } from "../../../src/host/disk-room.ts";
import { tryLock } from "../../../src/host/libc.ts";
import { markOwner } from "../../../src/host/owner-mark.ts";

const MIB = 2 ** 20;
const PARTIAL = ".cdh-0f8fad5b-d9cb-469f-a165-70867728950e.partial";

let coreDir: string;
let lockPath: string;
let evicted: Evicted[];
beforeEach(() => {
  coreDir = mkdtempSync(join(tmpdir(), "room-"));
  lockPath = `${coreDir}.lock`;
  evicted = [];
});
afterEach(() => {
  rmSync(coreDir, { recursive: true, force: true });
  rmSync(lockPath, { force: true });
});

function put(name: string, ageSeconds: number, mebibytes = 1, namespace?: string): string {
  const path = join(coreDir, name);
  writeFileSync(path, new Uint8Array(mebibytes * MIB).fill(7));
  if (namespace !== undefined) mark(path, namespace, name);
  const at = Date.now() / 1000 - ageSeconds;
  utimesSync(path, at, at);
  return path;
}

function mark(path: string, namespace: string, workload: string): void {
  const fd = openSync(path, "r");
  expect(markOwner(fd, { namespace, workload })).toBe(true);
  closeSync(fd);
}

const quotaOf = (mebibytes: number) => ({ quota: String(mebibytes * MIB), free: "0" });
const make = (quotaMebibytes: number, wantedBytes = 0, asker?: string) =>
  makeRoom(
    coreDir,
    quotaOf(quotaMebibytes),
    { wantedBytes, lockPath, ...(asker === undefined ? {} : { asker }) },
    (one) => evicted.push(one),
  );

test("room is what the quota leaves, every file counted", async () => {
  put("a.zip", 1);
  put(PARTIAL, 1, 2);
  put("foreign", 1);
  const room = await measureRoom(coreDir, quotaOf(10));
  expect(room.roomBytes).toBeWithin(5 * MIB, 6 * MIB + 1);
  expect(room.underWay).toBe(1);
});

test("the floor counts what is free on the filesystem", async () => {
  const { roomBytes } = await measureRoom(coreDir, { quota: "100%", free: "100%" });
  expect(roomBytes).toBeLessThan(0);
});

test("dumps go, oldest first, until there is room; others' files and the newest stay", async () => {
  for (let age = 1; age <= 5; age++) put(`dump-${age}.zip`, age * 10);
  put("foreign", 999);
  await make(4);
  expect(readdirSync(coreDir).sort()).toEqual([
    "dump-1.zip",
    "dump-2.zip",
    "dump-3.zip",
    "foreign",
  ]);
  expect(evicted.map(({ zip }) => zip)).toEqual(["dump-5.zip", "dump-4.zip"]);
  expect(evicted[0]).toMatchObject({ sizeBytes: MIB, namespace: null });
});

test("a dump that is being uploaded stays", async () => {
  put("old.zip", 100);
  put("new.zip", 1);
  const fd = openSync(join(coreDir, "old.zip"), "r");
  try {
    expect(tryLock(fd)).toBe(true);
    await make(1);
    expect(readdirSync(coreDir).sort()).toEqual(["new.zip", "old.zip"]);
    expect(evicted).toEqual([]);
  } finally {
    closeSync(fd);
  }
});

test("while a dump is written every finished one may go, and it may not", async () => {
  put("a.zip", 10);
  put("b.zip", 5);
  put(PARTIAL, 0, 3);
  await make(3);
  expect(readdirSync(coreDir)).toEqual([PARTIAL]);
});

test("two that make room at once do not both evict", async () => {
  put("a.zip", 10);
  put("b.zip", 5);
  const fd = openSync(lockPath, "w");
  try {
    expect(tryLock(fd)).toBe(true);
    expect(await make(1)).toBe("busy");
    expect(readdirSync(coreDir)).toHaveLength(2);
  } finally {
    closeSync(fd);
  }
});

test("the namespace that takes the most gives way, whatever the files are called", async () => {
  for (let age = 1; age <= 3; age++) put(`mallory-${age}.zip`, age, 1, "victim");
  for (let copy = 1; copy <= 6; copy++) put(`victim-${copy}.zip`, 100 - copy, 1, "mallory");
  await make(6);
  expect(evicted.map(({ zip }) => zip)).toEqual(["victim-1.zip", "victim-2.zip", "victim-3.zip"]);
  expect(evicted[0]).toMatchObject({ namespace: "mallory", workload: "victim-1.zip" });
});

test("a dump under way counts as its namespace's, and takes nothing from one that holds less", async () => {
  for (let age = 1; age <= 3; age++) put(`victim-${age}.zip`, age, 1, "victim");
  put(PARTIAL, 0, 6, "mallory");
  await make(8, 0, "mallory");
  expect(evicted).toEqual([]);
  await make(8, 0, "bystander");
  expect(evicted.map(({ zip }) => zip)).toEqual(["victim-3.zip"]);
});
