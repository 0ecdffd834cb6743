import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync, type Zippable } from "fflate";
import { openFileSource, type ByteSource } from "../../../src/store/byte-source.ts";
import { findCore, findEntry, openDumpZip, readSmallEntry } from "../../../src/reading/dump-zip.ts";
import { extractToFile, fileNameOf } from "../../../src/reading/extract.ts";
import { fetchDump } from "../../../src/reading/fetch.ts";
import { formatBugGroups, groupByBug } from "../../../src/reading/bug-groups.ts";
import { formatInfo, formatTornInfo, readInfo } from "../../../src/reading/info.ts";
import { listDumps } from "../../../src/reading/list.ts";
import { openDirectoryReader } from "../../../src/store/directory/directory-reader.ts";
import type { StoreReader } from "../../../src/store/store-port.ts";
import { failureOf } from "../../support/failure.ts";

let folder: string;
let opened: ByteSource[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reading-"));
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((source) => source.close()));
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);
const everything = { prefix: "", sinceMs: 0, namespace: "" };

/** A core of a few random bytes between long runs of zeros, as sparse memory gives. */
function sparseCore(): Uint8Array {
  const core = new Uint8Array(8 << 20);
  crypto.getRandomValues(core.subarray(0, 4096));
  crypto.getRandomValues(core.subarray(5 << 20, (5 << 20) + 4096));
  return core;
}

function writeDump(
  name: string,
  info: Record<string, unknown> = {},
  core: Uint8Array = sparseCore(),
): string {
  const base = name.replace(/\.zip$/, "");
  const facts = { uuid: "u", timestamp: "1700000000", exe: "app", signal_name: "SIGSEGV", ...info };
  const files: Zippable = {
    [`${base}-dump-info.json`]: [Buffer.from(JSON.stringify(facts)), { level: 0 }],
    [`${base}.core`]: core,
    [`${base}-0.log`]: Buffer.from("last words\n"),
  };
  writeFileSync(path(name), zipSync(files, { level: 1 }));
  return path(name);
}

async function open(zipPath: string) {
  const source = await openFileSource(zipPath);
  opened.push(source);
  return openDumpZip(source);
}

describe("extract", () => {
  test("gives the core back byte for byte, its zeros as holes", async () => {
    const core = sparseCore();
    const zip = await open(writeDump("a.zip", {}, core));
    await extractToFile(zip, findEntry(zip, "core"), path("core"), false);
    const { size, blocks, mode } = statSync(path("core"));

    expect(Buffer.compare(readFileSync(path("core")), core)).toBe(0);
    expect(size).toBe(core.length);
    expect(blocks * 512).toBeLessThan(core.length / 8);
    expect(mode & 0o777).toBe(0o600);
  });

  test("an entry is found by its ending, and one that is not there is answered with what is", async () => {
    const zip = await open(writeDump("a.zip"));
    expect((await readSmallEntry(zip, findEntry(zip, "0.log"))).toString()).toBe("last words\n");
    expect(() => findEntry(zip, "1.log")).toThrow('no entry "1.log"');
  });

  test("a file that exists is not replaced unless asked for", async () => {
    const zip = await open(writeDump("a.zip"));
    writeFileSync(path("core"), "precious");
    const error = await failureOf(extractToFile(zip, findEntry(zip, "core"), path("core"), false));
    expect(error).toContain("exists");
    expect(readFileSync(path("core"), "utf8")).toBe("precious");
    await extractToFile(zip, findEntry(zip, "core"), path("core"), true);
    expect(statSync(path("core")).size).toBe(8 << 20);
  });

  test("a damaged entry is said to be so, and nothing of it is left behind", async () => {
    const zipPath = writeDump("a.zip");
    const bytes = readFileSync(zipPath);
    const zip = await open(zipPath);
    const { offset } = findEntry(zip, "core");
    bytes.fill(0x55, offset + 600, offset + 700);
    writeFileSync(zipPath, bytes);
    const damaged = await open(zipPath);
    const error = await failureOf(
      extractToFile(damaged, findEntry(damaged, "core"), path("core"), false),
    );
    expect(error).toContain("is damaged");
    expect(statSync(path("core"), { throwIfNoEntry: false })).toBeUndefined();
  });

  test("an entry that unpacks to more than the zip says is stopped", async () => {
    const zipPath = writeDump("a.zip");
    const zip = await open(zipPath);
    const entry = { ...findEntry(zip, "core"), sizeBytes: 1000 };
    const error = await failureOf(extractToFile(zip, entry, path("core"), false));
    expect(error).toContain("is damaged");
  });

  test.each([
    ["../../etc/passwd", "___.._etc_passwd"],
    ["/etc/shadow", "_etc_shadow"],
    ["T-0-proc/maps", "T-0-proc_maps"],
    ["-rf\n", "_rf_"],
  ])("the file for %j stays in the folder", (name, expected) => {
    const entry = { name, method: 0, crc: 0, sizeBytes: 0, packedBytes: 0, offset: 0 };
    expect(fileNameOf(entry)).toBe(expected);
  });

  test("what is no zip is refused in one sentence that names it", async () => {
    writeFileSync(path("x.zip"), "hello");
    expect(await failureOf(open(path("x.zip")))).toContain("x.zip cannot be read");
    expect(await failureOf(open(path("none.zip")))).toContain("cannot open");
  });
});

describe("list --by bug", () => {
  const at = (seconds: number) => String(1_700_000_000 + seconds);
  const boom = { bug: "0123456789abcdef", title: "SIGSEGV in boom (app)" };
  const other = { bug: "fedcba9876543210", title: "SIGABRT in other (app)" };

  async function grouped() {
    writeDump("c.zip", { timestamp: at(300), ...boom, namespace: "bank", core_complete: false });
    writeDump("a.zip", { timestamp: at(100), ...boom, title: "older", namespace: "shop" });
    writeDump("b.zip", { timestamp: at(200), ...boom, namespace: "shop", core_complete: true });
    writeDump("d.zip", { timestamp: at(400), ...other });
    writeDump("e.zip", { timestamp: at(0) });
    writeDump("f.zip", { timestamp: at(1) });
    return groupByBug(await listDumps(openDirectoryReader(folder), everything));
  }

  test("one bug is one group: how often, since when, where, and which dump to look at", async () => {
    expect(await grouped()).toEqual([
      {
        ...boom,
        dumps: 3,
        whole: 1,
        first_seen: "2023-11-14T22:15:00.000Z",
        last_seen: "2023-11-14T22:18:20.000Z",
        namespaces: ["bank", "shop"],
        key: "b.zip",
      },
      expect.objectContaining({ ...other, dumps: 1, whole: 0, namespaces: [], key: "d.zip" }),
      expect.objectContaining({ bug: null, dumps: 2, title: null, key: "f.zip" }),
    ]);
  });

  test("in a terminal the title gives way to its width", async () => {
    const groups = await grouped();
    const [first] = groups;
    if (first !== undefined) first.title = `SIGSEGV in ${"x".repeat(200)}`;
    const lines = formatBugGroups(groups, { columns: 130, heading: true }).trimEnd().split("\n");
    expect(lines[0]).toMatch(/^BUG +DUMPS +WHOLE +FIRST SEEN +LAST SEEN +NAMESPACES +TITLE$/);
    expect(lines[1]).toMatch(/^0123456789abcdef +3 +1 .*Z +bank,shop +SIGSEGV in x+…$/);
    expect(Math.max(...lines.map((line) => line.length))).toBe(130);
    expect(lines[3]).toMatch(/^unknown +2 +0 .* - +-$/);
  });
});

describe("info", () => {
  test("says of a core of the stacks that it is one, and how much it lacks", async () => {
    const facts = { core_content: "stacks", core_complete: true, core_bytes: 2048 };
    const zip = await open(writeDump("a.zip", { ...facts, core_omitted_bytes: 5 * 2 ** 30 }));
    expect(formatInfo(zip, await readInfo(zip))).toMatch(
      /^core +complete, 2\.0 KiB; stacks and what belongs to them alone \(5\.0 GiB left out\)$/m,
    );
  });

  test("of a dump whose core was left out it tells where there is another", async () => {
    const left = {
      core_bytes: 0,
      core_complete: false,
      truncated_by: "known_bug",
      bug: "0123456789abcdef",
    };
    const zip = await open(writeDump("a.zip", left, new Uint8Array(0)));
    const text = formatInfo(zip, await readInfo(zip));
    expect(text).toContain("left out: its bug has left whole dumps already");
    expect(text).toContain(
      "list --by bug --json    names a dump of bug 0123456789abcdef with a core",
    );
    expect(() => findCore(zip)).toThrow("holds nothing of the core");
  });

  test("says who crashed, how much of the core there is, and what is missing", async () => {
    const zip = await open(
      writeDump("a.zip", {
        namespace: "shop",
        podname: "cart-0",
        core_complete: false,
        truncated_by: "eof",
        core_bytes: 1024,
        core_expected_bytes: 4096,
        missing: [{ what: "pod-info", why: "no\nanswer" }],
      }),
    );
    const text = formatInfo(zip, await readInfo(zip));
    expect(text).toMatch(/^pod +shop {2}cart-0$/m);
    expect(text).toMatch(/^core +cut short \(eof\), 1\.0 KiB of 4\.0 KiB$/m);
    expect(text).toMatch(/^missing +pod-info: no\\u000aanswer$/m);
    expect(text).toContain("a.core");
  });
});

describe("info of a torn zip", () => {
  test("shows what the head tells, that the end is missing, and what to do", () => {
    const whole = readFileSync(writeDump("a.zip", { namespace: "shop", core_complete: true }));
    const torn = whole.subarray(0, whole.length / 2);
    const text = formatTornInfo("a.zip", torn.length, torn, new Error("no end"));
    expect(text).toMatch(/^pod +shop$/m);
    expect(text).toMatch(/^zip +torn: its end is missing, /m);
    expect(text).toContain("core-dump-handler fetch goes on where it was cut off");
  });

  test("where the head tells nothing, the error stays", () => {
    expect(() => formatTornInfo("a.zip", 5, Buffer.from("hello"), new Error("no end"))).toThrow(
      "no end",
    );
  });
});

describe("fetch", () => {
  /** A directory as a store whose line breaks after some bytes. */
  function breaking(store: StoreReader, afterBytes: number, version = "v1") {
    const reads: number[] = [];
    const broken: StoreReader = {
      ...store,
      async open(key) {
        const source = await store.open(key);
        return {
          ...source,
          version,
          async read(start: number, end: number) {
            if (start >= afterBytes) throw new Error("the line broke");
            reads.push(start);
            return source.read(start, Math.min(end, start + 100_000));
          },
        };
      },
    };
    return { broken, reads };
  }

  const random = () => crypto.getRandomValues(new Uint8Array(60_000));
  const core = () => Buffer.concat(Array.from({ length: 10 }, random));

  test("goes on where it was cut off, and verifies the whole", async () => {
    const zipPath = writeDump("a.zip", {}, core());
    const store = openDirectoryReader(folder);
    const first = breaking(store, 300_000);
    const error = await failureOf(fetchDump(first.broken, "a.zip", path("got.zip"), false));
    expect(error).toContain("the line broke");
    const second = breaking(store, Number.POSITIVE_INFINITY);
    const { resumedAtBytes } = await fetchDump(second.broken, "a.zip", path("got.zip"), false);
    expect(resumedAtBytes).toBe(300_000);
    expect(second.reads[0]).toBe(300_000);
    expect(readFileSync(path("got.zip")).equals(readFileSync(zipPath))).toBe(true);
    expect(statSync(path("got.zip.part"), { throwIfNoEntry: false })).toBeUndefined();
  });

  test("begins anew when the object has changed meanwhile", async () => {
    writeDump("a.zip", {}, core());
    const store = openDirectoryReader(folder);
    const first = breaking(store, 300_000, "v1");
    await failureOf(fetchDump(first.broken, "a.zip", path("got.zip"), false));
    const second = breaking(store, Number.POSITIVE_INFINITY, "v2");
    const { resumedAtBytes } = await fetchDump(second.broken, "a.zip", path("got.zip"), false);
    expect(resumedAtBytes).toBe(0);
  });

  test("a dump that is damaged in the store never gets its name", async () => {
    const zipPath = writeDump("a.zip", {}, core());
    const bytes = readFileSync(zipPath);
    bytes.fill(0x55, 200_000, 200_100);
    writeFileSync(zipPath, bytes);
    const error = await failureOf(
      fetchDump(openDirectoryReader(folder), "a.zip", path("got.zip"), false),
    );
    expect(error).toContain("is damaged");
    expect(statSync(path("got.zip"), { throwIfNoEntry: false })).toBeUndefined();
  });
});
