import { expect, test } from "bun:test";
import { formatIndexKey, parseIndexKey } from "../../../src/model/crash-index.ts";
import { indexedCrash, type IndexedCrash } from "../../../src/model/indexed-crash.ts";
import { MARKUP } from "../../support/hostile-crash.ts";

const CRASH: IndexedCrash = {
  timeSeconds: 1_764_000_000,
  bug: "1d38ea98bff9b22d",
  title: "SIGABRT: double free or corruption (!prev) in free ← close_connection ← main (app)",
  exe: "app",
  signal: "SIGABRT",
  namespace: "shop",
  image: "registry.example.com/shop/web:1.4@sha256:" + "ab12".repeat(16),
  pod: "web-0",
  container: "server",
  node: "node-1.example.com",
  coreComplete: true,
  coreBytes: 123_456_789,
  zipBytes: 2_000_000,
  key: "shop/web-0/4f3c-dump-1764000000-web-0-app-7-6.zip",
};

test("a crash is read out of its key as it went in, the image as far as it tells builds apart", () => {
  const key = formatIndexKey("index/", CRASH);
  expect(key).toStartWith("index/v1/2025-11-24/1d38ea98bff9b22d/SIGABRT=3A+double+free");
  expect(parseIndexKey("index/", key)).toEqual({ ...CRASH, image: "web:1.4@sha256:ab12ab12ab12" });
});

test("crashes of one bug, image and namespace have one folder, which names what they share", () => {
  const folder = (crash: IndexedCrash) => formatIndexKey("index/", crash).split("/").slice(0, 5);
  expect(folder({ ...CRASH, pod: "web-1", node: "other", key: "x.zip" })).toEqual(folder(CRASH));
  expect(folder({ ...CRASH, image: "web:1.5" })).not.toEqual(folder(CRASH));
});

test("no key ends as a dump's does, is hidden, or has more than 900 bytes or 240 in a component", () => {
  const long = "y".repeat(400);
  const crashes = [
    CRASH,
    { ...CRASH, title: MARKUP, exe: "../..", namespace: MARKUP, pod: MARKUP, node: ".." },
    { ...CRASH, title: long, image: long, pod: long, node: long, key: `${"k".repeat(600)}.zip` },
    { ...CRASH, key: "ü".repeat(300) },
    { ...CRASH, title: ".".repeat(400), pod: "-".repeat(300) },
  ];
  for (const crash of crashes) {
    const key = formatIndexKey("index/", crash);
    expect(key).toMatch(/^[A-Za-z0-9._@,()=+!~/-]*[^.]$/);
    expect(key.endsWith(".zip")).toBe(false);
    expect(key.length).toBeLessThanOrEqual(900);
    for (const component of key.split("/")) {
      expect(component.length).toBeLessThanOrEqual(240);
      expect(["", ".", ".."]).not.toContain(component);
    }
    expect(parseIndexKey("index/", key)).toMatchObject({
      timeSeconds: CRASH.timeSeconds,
      bug: CRASH.bug,
    });
  }
});

test("a dump's key is never cut: one that is too long is left out", () => {
  const kept = `${"k".repeat(500)}.zip`;
  expect(parseIndexKey("i/", formatIndexKey("i/", { ...CRASH, key: kept }))?.key).toBe(kept);
  const tooLong = `${"k".repeat(990)}.zip`;
  expect(parseIndexKey("i/", formatIndexKey("i/", { ...CRASH, key: tooLong }))?.key).toBe("");
});

test("texts come back as they were, separators and slashes of theirs too", () => {
  const text = 'a~b/c=41+d!e%20"\u202E\u0000← ü';
  const key = formatIndexKey("index/", { ...CRASH, title: text, exe: text, pod: text, key: text });
  expect(parseIndexKey("index/", key)).toMatchObject({ title: text, pod: text, key: text });
});

test("what this program did not write is no entry", () => {
  const good = formatIndexKey("index/", CRASH);
  const foreign = [
    "",
    "index/v1/",
    "index/v2/2025-11-24/1d38ea98bff9b22d/a/b",
    good.replace("2025-11-24", "2025-11-25"),
    good.replace("1d38ea98bff9b22d", "<script>"),
    good.slice(0, -1),
    `${good}~`,
    good.replace("1764000000", "1e9"),
    `other/${good}`,
    `index/v1/2025-11-24/unknown/${"~".repeat(5)}/${"~".repeat(8)}`,
    `index/v1/2025-11-24/unknown/${"x".repeat(5000)}`,
  ];
  for (const key of foreign) expect(parseIndexKey("index/", key)).toBeUndefined();
});

test("of a dump that tells nothing there is an entry all the same", () => {
  const crash = indexedCrash({}, { key: "T.zip", zipBytes: 7, nowSeconds: 1_764_000_000.5 });
  expect(parseIndexKey("index/", formatIndexKey("index/", crash))).toEqual(crash);
});
