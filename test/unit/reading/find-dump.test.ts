// The words by which a dump can be named, among others and through the commands.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { describeError } from "../../../src/model/app-error.ts";
import { parseOrdinal, spellOrdinal } from "../../../src/model/dump-ordinal.ts";
import {
  pathOfDump,
  withDumpFile,
  withDumpSource,
  withStoredDump,
} from "../../../src/reading/find-dump.ts";
import { failureOf } from "../../support/failure.ts";

let folder: string;
let environment: Record<string, string>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "names-"));
  for (const name of ["cores", "store/shop"]) mkdirSync(join(folder, name), { recursive: true });
  environment = { CORE_DIR: join(folder, "cores"), STORE_URL: `file://${join(folder, "store")}` };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const UUIDS = {
  first: "5e0a3f1c-8d55-4b4e-9a7a-1c2d3e4f5a6b",
  second: "5e0a77aa-9b66-4c1e-8f2a-7b8c9d0e1f2a",
  third: "c0ffee00-1111-4c1e-8f2a-7b8c9d0e1f2a",
};
const nameOf = (uuid: string, exe: string) => `${uuid}-dump-1700000000-host-${exe}-1-11.zip`;

function writeDump(
  place: string,
  name: string,
  info: { timestamp: string } & Record<string, unknown>,
): void {
  const facts = { uuid: "u", exe: "app", signal_name: "SIGSEGV", ...info };
  const files = {
    "T-dump-info.json": Buffer.from(JSON.stringify(facts)),
    "T.core": Buffer.alloc(9),
  };
  const path = join(folder, place, name);
  writeFileSync(path, zipSync(files));
  utimesSync(path, Number(facts.timestamp), Number(facts.timestamp));
}

function writeThree(place: string): void {
  writeDump(place, nameOf(UUIDS.first, "cart"), {
    timestamp: "1700000001",
    real_pid: "11",
    exe: "cart",
  });
  writeDump(place, nameOf(UUIDS.second, "cart"), {
    timestamp: "1700000002",
    real_pid: "22",
    exe: "cart",
  });
  writeDump(place, nameOf(UUIDS.third, "bank"), {
    timestamp: "1700000003",
    real_pid: "11",
    exe: "bank",
  });
}

const request = (word: string, store = false) => ({
  word,
  store,
  loadEnvironment: async () => environment,
});
/** The uuid's beginning of the dump that a word means. */
const meant = async (word: string, store = false) =>
  withDumpFile(request(word, store), async (path) => path.split("/").at(-1)?.slice(0, 8) ?? "");

test.each([
  [nameOf(UUIDS.first, "cart"), "5e0a3f1c"],
  [nameOf(UUIDS.first, "cart").replace(".zip", ""), "5e0a3f1c"],
  ["5e0a3", "5e0a3f1c"],
  ["c0ffee", "c0ffee00"],
  ["8d55-4b4e", "5e0a3f1c"],
  ["22", "5e0a77aa"],
  ["latest", "c0ffee00"],
  ["latest~1", "5e0a77aa"],
])("%p names one dump", async (word, uuid) => {
  writeThree("cores");
  expect(await meant(word)).toBe(uuid);
});

test.each([
  ["11", "c0ffee00"],
  ["cart", "5e0a77aa"],
])("of the dumps of the pid or executable %p the newest is meant", async (word, uuid) => {
  writeThree("cores");
  expect(await meant(word)).toBe(uuid);
});

test("a part of several names is refused with what it could be, the newest first", async () => {
  writeThree("cores");
  const error = await failureOf(meant("5e0a"));
  expect(error).toContain('"5e0a" is a part of 2 dumps\' names');
  expect(error.indexOf(UUIDS.second)).toBeLessThan(error.indexOf(UUIDS.first));
});

test.each([
  ["crat", "did you mean cart?"],
  ["nothing-like-it", "core-dump-handler list shows what is there"],
  ["latest~9", "no dump of that name"],
])("%p names none, and that is said", async (word, words) => {
  writeThree("cores");
  delete environment["STORE_URL"];
  expect(await failureOf(meant(word))).toContain(words);
});

test("a file wins, and asks for no settings", async () => {
  const path = join(folder, "cart");
  writeFileSync(path, "mine");
  const loadEnvironment = () => Promise.reject(new Error("asked"));
  const read = async (source: { read: (start: number, end: number) => Promise<Buffer> }) =>
    (await source.read(0, 9)).toString();
  expect(await withDumpSource({ word: path, store: false, loadEnvironment }, read)).toBe("mine");
});

test("what is not on this host is looked for in the store, by key, address or any other word", async () => {
  writeThree("store/shop");
  writeDump("cores", "local.zip", { timestamp: "1700000009" });
  const key = `shop/${nameOf(UUIDS.third, "bank")}`;
  for (const word of [key, `${environment["STORE_URL"]}/${key}`, "c0ffee", "bank"])
    expect(await meant(word)).toBe("c0ffee00");
  expect(await meant("latest")).toBe("local.zi");
  expect(await meant("latest", true)).toBe("c0ffee00");
  const direct = await withStoredDump(request("c0ffee"), async (_reader, found) => found);
  expect(direct).toBe(key);
});

test("a dump in the store is read where it is, and a fetched one is gone afterwards", async () => {
  writeThree("store/shop");
  let fetched = "";
  await withDumpFile(request("c0ffee"), async (path) => {
    fetched = path;
    expect(readFileSync(path, "latin1")).toStartWith("PK");
  });
  expect(await Bun.file(fetched).exists()).toBe(false);
  await withDumpSource(request("c0ffee"), async (source) => {
    expect((await source.read(0, 2)).toString()).toBe("PK");
  });
});

test("of a namespace or a bug the store's newest is meant", async () => {
  const bug = "0123456789abcdef";
  writeThree("store/shop");
  writeDump("store/shop", "a.zip", { timestamp: "1700000001", namespace: "shop", bug });
  writeDump("store/shop", "b.zip", { timestamp: "1700000002", namespace: "shop" });
  const newest = async (only: { namespace: string; bug: string }) =>
    withDumpFile({ ...request("latest", true), only }, async (path) => path.split("/").at(-1));
  expect(await newest({ namespace: "shop", bug: "" })).toBe("b.zip");
  expect(await newest({ namespace: "", bug })).toBe("a.zip");
  expect(await failureOf(newest({ namespace: "none", bug: "" }))).toContain("no dump of that name");
});

test("sweep's FILE is a file or a dump of this host, and never one of the store", async () => {
  writeThree("cores");
  writeDump("store/shop", "far.zip", { timestamp: "1700000009" });
  const of = async (word: string) => (await pathOfDump(request(word))).split("/").at(-1);
  expect(await of("22")).toStartWith("5e0a77aa");
  expect(await of("latest")).toStartWith("c0ffee00");
  expect(await failureOf(of("far"))).toContain("no dump of that name");
});

test("another store's address is refused", async () => {
  expect(await failureOf(meant("s3://other/a.zip"))).toContain(
    "s3://other/a.zip is not in file://",
  );
});

test("-1 is the newest, -3 the third newest, and any other argument itself", () => {
  expect(["-1", "-3", "-0", "-n", "1", "--1"].map(spellOrdinal)).toEqual([
    "latest",
    "latest~2",
    "-0",
    "-n",
    "1",
    "--1",
  ]);
  expect(["latest", "latest~2", "latest~", "late"].map(parseOrdinal)).toEqual([
    0,
    2,
    undefined,
    undefined,
  ]);
});

test("an error about several dumps is one line in a log", async () => {
  writeThree("cores");
  const error = await meant("5e0a").catch((caught: unknown) => caught);
  expect(describeError(error).split("\n")).toHaveLength(1);
});
