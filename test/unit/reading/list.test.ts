// `list`: which dumps, in which order, in which columns.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { listDumps, type ListedDump, type ListOptions } from "../../../src/reading/list.ts";
import { formatList, shortNames } from "../../../src/reading/list-table.ts";
import { openDirectoryReader } from "../../../src/store/directory/directory-reader.ts";
import { gatedTest } from "../../support/gate.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "list-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);
const EVERYTHING: ListOptions = { prefix: "", sinceMs: 0, namespace: "" };
const SECONDS = 1_700_000_000;

function writeDump(name: string, info: Record<string, unknown> = {}): void {
  const facts = {
    uuid: "u",
    timestamp: String(SECONDS),
    exe: "app",
    signal_name: "SIGSEGV",
    ...info,
  };
  const zip = zipSync({
    "T-dump-info.json": [Buffer.from(JSON.stringify(facts)), { level: 0 }],
    "T.core": [Buffer.alloc(5000, 7), { level: 0 }],
  });
  writeFileSync(path(name), zip);
}

const list = async (options: Partial<ListOptions> = {}) =>
  listDumps(openDirectoryReader(folder), { ...EVERYTHING, ...options });
const keys = async (options: Partial<ListOptions> = {}) =>
  (await list(options)).map(({ key }) => key);

test("tells each dump by its dump-info, oldest crash first", async () => {
  const why = { title: "SIGSEGV in f", bug: "0123456789abcdef", real_pid: "17" };
  writeDump("b.zip", {
    timestamp: String(SECONDS + 200),
    namespace: "shop",
    podname: "cart-0",
    ...why,
  });
  writeDump("a.zip", { timestamp: String(SECONDS + 100), core_complete: false, core_bytes: 2048 });
  const listed = await list();
  expect(listed.map(({ key }) => key)).toEqual(["a.zip", "b.zip"]);
  const [head, first, second] = formatList(listed).split("\n");
  expect(head).toMatch(/^TIME +POD +EXE/);
  expect(first).toMatch(/2023-11-14T22:15:00Z +- +app +SIGSEGV +2\.0 KiB .* cut +- +a\.zip$/);
  expect(second).toMatch(/shop\/cart-0 .* unknown +SIGSEGV in f +b\.zip$/);
  expect(listed[1]).toMatchObject({ title: why.title, bug: why.bug, real_pid: "17" });
});

test("crashes of one second come in the order in which their dumps were written", async () => {
  for (const [name, ms] of [
    ["z.zip", 100],
    ["a.zip", 300],
    ["m.zip", 200],
  ] as const) {
    writeDump(name);
    utimesSync(path(name), SECONDS + 5, SECONDS + 5 + ms / 1000);
  }
  expect(await keys()).toEqual(["z.zip", "m.zip", "a.zip"]);
});

test("whole, cut, torn, foreign and empty files are told apart", async () => {
  writeDump("whole.zip", { core_complete: true });
  writeDump("cut.zip", { core_complete: false, truncated_by: "timeout" });
  writeDump("odd.zip", { core_complete: null });
  writeDump("torn.zip", { core_complete: true });
  writeFileSync(path("torn.zip"), readFileSync(path("torn.zip")).subarray(0, 2000));
  writeFileSync(path("foreign.zip"), zipSync({ "notes.txt": Buffer.from("hello") }));
  writeFileSync(path("text.zip"), "no zip at all");
  writeFileSync(path("empty.zip"), "");
  const states = Object.fromEntries((await list()).map(({ key, state }) => [key, state]));
  expect(states).toEqual({
    "whole.zip": "whole",
    "cut.zip": "cut",
    "odd.zip": "unknown",
    "torn.zip": "torn",
    "foreign.zip": "foreign",
    "text.zip": "foreign",
    "empty.zip": "empty",
  });
});

const OBSTACLE = process.getuid?.() === 0 ? "needs a user who is not root" : undefined;
gatedTest("a file that may not be read is said to be so", [OBSTACLE], async () => {
  writeDump("secret.zip");
  chmodSync(path("secret.zip"), 0o000);
  expect(await list()).toMatchObject([{ state: "unreadable" }]);
});

test("a file that vanishes meanwhile is unreadable, not an error", async () => {
  writeDump("a.zip");
  const reader = openDirectoryReader(folder);
  const vanishing = { ...reader, head: async () => Buffer.alloc(0) };
  expect(await listDumps(vanishing, EVERYTHING)).toMatchObject([{ state: "unreadable" }]);
});

test("every filter keeps what fits and nothing else", async () => {
  const now = Math.floor(Date.now() / 1000);
  const cart = { namespace: "shop", podname: "cart-0", container_name: "main" };
  writeDump("old.zip", { timestamp: String(SECONDS), ...cart });
  writeDump("new.zip", { timestamp: String(now), ...cart, exe: "sidecar", container_name: "side" });
  writeDump("bank.zip", { timestamp: String(now), namespace: "bank", signal_name: "SIGABRT" });
  writeFileSync(path("foreign.zip"), "not ours");
  const hourAgo = Date.now() - 3_600_000;
  expect(await keys({ namespace: "shop" })).toEqual(["old.zip", "new.zip"]);
  expect(await keys({ namespace: "shop", sinceMs: hourAgo })).toEqual(["new.zip"]);
  expect(await keys({ untilMs: hourAgo })).toEqual(["old.zip"]);
  expect(await keys({ pod: "cart-0", container: "main" })).toEqual(["old.zip"]);
  expect(await keys({ exe: "sidecar" })).toEqual(["new.zip"]);
  for (const signal of ["SIGABRT", "abrt", "SigAbrt"])
    expect(await keys({ signal })).toEqual(["bank.zip"]);
  expect(await keys({ prefix: "f" })).toEqual(["foreign.zip"]);
});

test("a hostile process name stays within its line", async () => {
  writeDump("a.zip", { exe: "x\n2026 forged \u001b[31m" });
  const lines = formatList(await list()).trimEnd();
  expect(lines.split("\n")).toHaveLength(2);
  expect(lines).toContain("x\\u000a2026 forged \\u001b[31m");
});

/** As the default template names them. */
const UUIDS = ["5e0a3f1c-8d55-4b4e-9a7a-1c2d3e4f5a6b", "5e0a3f1c-9b66-4c1e-8f2a-7b8c9d0e1f2a"];
const REAL: ListedDump[] = UUIDS.map((uuid, index) => ({
  key: `${uuid}-dump-1700000000-cart-7d9f-shop-cart-17-11.zip`,
  zip_bytes: 5_000_000,
  time: "2023-11-14T22:13:20.000Z",
  written: "2023-11-14T22:13:21.000Z",
  namespace: "shop",
  podname: "cart-7d9fc6b5c4-x2x4z",
  container_name: "main",
  exe: "shop-cart",
  real_pid: String(17 + index),
  signal_name: "SIGSEGV",
  core_bytes: 40_000_000,
  core_complete: true,
  state: "whole",
  title: "SIGSEGV: read of 0x0 in price_of ← add_item ← handle_request (shop-cart)",
  bug: "0123456789abcdef",
}));
const table = (columns: number | undefined, wide = false) =>
  formatList(REAL, { columns, wide, heading: true }).trimEnd().split("\n");

test.each([60, 80, 100, 120, 200])("a terminal of %d columns is kept to", (columns) => {
  const lines = table(columns);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  // When, of what, and by which name it can be had.
  expect(lines[0]).toMatch(/^TIME .*EXE.*FILE$/);
  expect(lines[1]).toMatch(/5e0a3f1c-8d5$/);
});

test("columns go by importance: sizes before the pod, the pod before why", () => {
  expect(table(120)[0]).toMatch(/^TIME +POD +EXE +(SIGNAL +)?(CORE +)?(STATE +)?TITLE +FILE$/);
  expect(table(80)[0]).toMatch(/^TIME +EXE +(STATE +)?TITLE +FILE$/);
});

test("wide, a file and a pipe show whole names", () => {
  for (const lines of [table(undefined), table(60, true)])
    expect(lines[1]).toEndWith(REAL[0]?.key ?? "?");
  expect(table(60, true)[0]).toContain("PID");
  expect(table(undefined)[0]).not.toContain("PID");
});

test("without headings the dumps alone are left", () => {
  expect(formatList(REAL, { columns: 80, wide: false, heading: false })).not.toContain("TIME");
});

test("a short name is no other's beginning, and where there is none the whole name stays", () => {
  expect(shortNames(["a/aaaaaaaa1.zip", "b/aaaaaaaa2.zip", "bbbbbbbbb.zip", "c.zip"])).toEqual([
    "aaaaaaaa1.zi",
    "aaaaaaaa2.zi",
    "bbbbbbbb",
    "c.zip",
  ]);
  expect(shortNames(["x/same.zip", "y/same.zip"])).toEqual(["x/same.zip", "y/same.zip"]);
});
