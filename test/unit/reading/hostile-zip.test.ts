// Zips that are made to harm who reads them: bombs, lies, odd JSON, names for a terminal and a shell. Through the program's
// own commands, as a person runs them.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { zipSync } from "fflate";
import { openFileSource, type ByteSource } from "../../../src/store/byte-source.ts";
import { openDumpZip } from "../../../src/reading/dump-zip.ts";
import { fetchDump } from "../../../src/reading/fetch.ts";
import { formatInfo, readInfo } from "../../../src/reading/info.ts";
import { listDumps } from "../../../src/reading/list.ts";
import { formatList } from "../../../src/reading/list-table.ts";
import { openS3Reader } from "../../../src/store/s3/s3-reader.ts";
import { openDirectoryReader } from "../../../src/store/directory/directory-reader.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { AppError, describeError } from "../../../src/model/app-error.ts";
import {
  formatCentralDirectory,
  formatLocalHeader,
  type ZipEntryRecord,
} from "../../../src/model/zip-records.ts";
import { temporaryFolder } from "../../support/dumps.ts";
import { failureOf } from "../../support/failure.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { startScriptedStore, xml } from "../../support/scripted-store.ts";
import { storeSettings } from "../../support/store-settings.ts";

const MAIN = join(import.meta.dir, "../../../src/main.ts");
const EPOCH = new Date(0);
const EVERYTHING = { prefix: "", sinceMs: 0, namespace: "" };

let folder: string;
let opened: ByteSource[];
beforeEach(() => {
  folder = temporaryFolder();
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((source) => source.close()));
});

function run(...args: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, ...args], {
    cwd: folder,
    stdin: "ignore",
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

async function open(name: string) {
  const source = await openFileSource(join(folder, name));
  opened.push(source);
  return openDumpZip(source);
}

function writeZip(name: string, dumpInfo: string | Uint8Array, log = "last words\n"): string {
  const info = typeof dumpInfo === "string" ? Buffer.from(dumpInfo) : dumpInfo;
  const files = {
    "T-dump-info.json": info,
    "T.core": Buffer.alloc(100),
    "T-0.log": Buffer.from(log),
  };
  writeFileSync(join(folder, name), zipSync(files, { level: 0 }));
  return name;
}

/** Local records and a directory that may tell of them what it likes. */
function forge(name: string, local: Uint8Array[], entries: ZipEntryRecord[]): string {
  const data = Buffer.concat(local);
  const directory = formatCentralDirectory(entries, EPOCH, data.length);
  writeFileSync(join(folder, name), Buffer.concat([data, directory]));
  return name;
}

function record(name: string, content: Uint8Array, changes: Partial<ZipEntryRecord> = {}) {
  const packed = deflateRawSync(content, { level: 9 });
  const entry: ZipEntryRecord = {
    name,
    method: 8,
    crc: crc32(content),
    sizeBytes: content.length,
    compressedBytes: packed.length,
    offset: 0,
    ...changes,
  };
  return { entry, bytes: Buffer.concat([formatLocalHeader(entry, EPOCH), packed]) };
}

/** Each entry quotes the next one's header and all share one kernel (D. Fifield, 2019). */
function writeBomb(entries = 2000): string {
  const kernel = record("T-0.log", Buffer.alloc(64 << 20));
  const all = Array.from({ length: entries }, (_, n) => ({ ...kernel.entry, name: `T-${n}.log` }));
  return forge("bomb.zip", [kernel.bytes], all);
}

test("a bomb of entries that share their bytes is refused at once, by every command", async () => {
  const bomb = writeBomb();
  for (const args of [
    ["info", bomb],
    ["extract", bomb, "7.log"],
    ["debug", bomb],
  ]) {
    const { exitCode, stderr } = run(...args);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^core-dump-handler: bomb\.zip cannot be read: .* overlaps .*\n$/);
  }
  const fetched = fetchDump(openDirectoryReader(folder), bomb, join(folder, "got.zip"), false);
  expect(await failureOf(fetched)).toContain("overlaps");
  expect(readdirSync(folder)).toEqual(["bomb.zip"]);
  expect(run("list", folder).stdout).toContain("bomb.zip");
});

test("a local header that makes an entry reach into the next one is noticed", () => {
  const log = record("T-0.log", Buffer.alloc(1 << 20));
  const stretched = Buffer.from(log.bytes);
  stretched.writeUInt16LE(60, 28); // 60 more bytes of extra fields than the directory allows for
  const second = record("T-1.log", Buffer.from("x"), { offset: stretched.length });
  const zip = forge("T.zip", [stretched, second.bytes], [log.entry, second.entry]);
  expect(run("extract", zip, "0.log").stderr).toContain("overlaps what follows it");
});

test("a size that is no true one ends the extraction, and leaves no file", () => {
  const log = record("T-0.log", Buffer.alloc(1 << 20));
  const zip = forge("T.zip", [log.bytes], [{ ...log.entry, sizeBytes: 1000 }]);
  expect(run("extract", zip, "0.log").stderr).toContain("T-0.log in T.zip is damaged");
  expect(readdirSync(folder)).toEqual(["T.zip"]);
});

const DEEP = 300_000;
test.each([
  ["null", "null"],
  ["a list", "[]"],
  ["a text", '"x"'],
  ["a number", "1"],
  ["half of it", '{"uuid":'],
  ["nothing", ""],
  ["no text", Buffer.from([0xff, 0xfe, 0, 0x80])],
  ["lists in lists", "[".repeat(DEEP) + "]".repeat(DEEP)],
  ["objects in objects", '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000)],
  ["megabytes", JSON.stringify({ uuid: "u".repeat(2 << 20) })],
])("a dump-info that is %s is refused in one line", async (_, dumpInfo) => {
  const zip = await open(writeZip("T.zip", dumpInfo));
  const error = await readInfo(zip).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect(describeError(error)).toMatch(
    /^T-dump-info\.json in [^\n]+T\.zip (is no|has) [^\n]{1,200}$/,
  );
  expect(await listDumps(openDirectoryReader(folder), EVERYTHING)).toHaveLength(1);
});

test("info ends with one line and exit code 1 where dump-info is broken", () => {
  const zip = writeZip("T.zip", "null");
  const { exitCode, stdout, stderr } = run("info", zip, "--json");
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toMatch(/^core-dump-handler: T-dump-info\.json in T\.zip [^\n]+\n$/);
});

test.each([
  { truncated_by: { toString: 1 }, core_complete: false },
  { missing: [{ what: { toString: 1 }, why: [{ toString: null }] }, null, 7, "x", {}] },
  { missing: { length: 5, 0: "x" }, core_bytes: -1e308, core_expected_bytes: "x" },
  { timestamp: "7999999999999", exe_path: ["x"], namespace: { a: 1 }, signal: null },
  { timestamp: -1e300, core_bytes: 1e308, core_complete: "yes", exe: 7 },
  JSON.parse('{"__proto__": {"exe": "x"}, "constructor": 1, "toString": 1}') as object,
])("a dump-info of unexpected values %# is shown as far as it can be", async (info) => {
  const zip = await open(writeZip("T.zip", JSON.stringify(info)));
  const read = await readInfo(zip);
  expect(read).toEqual(info as JsonObject);
  expect(formatInfo(zip, read)).toContain("files inside");
  expect(formatList(await listDumps(openDirectoryReader(folder), EVERYTHING))).toContain("T.zip");
});

test("--json of list and info escapes what acts on a terminal", () => {
  const hostile = "x\u001b[31m\u009b2J\u202e\u2066\u200b";
  const zip = writeZip("T.zip", JSON.stringify({ exe: hostile, namespace: hostile, [hostile]: 1 }));
  for (const args of [
    ["info", zip],
    ["info", zip, "--json"],
    ["list", folder],
    ["list", folder, "--json"],
  ])
    expect(run(...args).stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
});

/** The words that a shell makes of the printed gdb command. */
async function pastedWords(exePath: unknown): Promise<string[]> {
  const zip = await open(writeZip("T.zip", JSON.stringify({ exe_path: exePath })));
  const lines = formatInfo(zip, await readInfo(zip)).split("\n");
  const line = lines.find((text) => text.includes("&& gdb")) ?? "";
  const script = line.replace(/^.*&& gdb/, "printf '%s\\n'");
  const { stdout } = Bun.spawnSync(["sh", "-c", script], { cwd: folder });
  return stdout.toString().trimEnd().split("\n");
}

test.each([
  ["-ex=shell touch pwned", "PROGRAM"],
  ["bin/app", "PROGRAM"],
  ["/a\nb", "PROGRAM"],
  ["/a\u202eb", "PROGRAM"],
  [["/app"], "PROGRAM"],
  ["/a b'$(touch pwned)`touch pwned`;touch pwned", "/a b'$(touch pwned)`touch pwned`;touch pwned"],
  ["/usr/bin/app", "/usr/bin/app"],
])("the printed command, pasted with the program %j, starts gdb with %j", async (exePath, word) => {
  expect(await pastedWords(exePath)).toEqual(["-iex", "set auto-load off", word, "core"]);
  expect(readdirSync(folder)).toEqual(["T.zip"]);
});

gatedTest(
  "a log that is shown on a terminal cannot act on it, and a core is not shown",
  [missingProgram("script")],
  () => {
    writeZip("T.zip", '{"uuid":"u"}', "first\n\u001b]0;owned\u0007\tsecond é\n");
    const onTerminal = (entry: string) => {
      const command = `'${process.execPath}' '${MAIN}' extract T.zip ${entry} -o -`;
      const { stdout } = Bun.spawnSync(["script", "-qec", command, "/dev/null"], {
        cwd: folder,
        stdin: "ignore",
      });
      return stdout.toString();
    };
    expect(onTerminal("0.log")).toBe("first\r\n\\u001b]0;owned\\u0007\tsecond é\r\n");
    expect(onTerminal("core")).toContain("is not for a terminal");
    expect(run("extract", "T.zip", "0.log", "-o", "-").stdout).toContain("\u001b]0;owned\u0007");
  },
);

test("a folder with links in circles and out of it is listed once", async () => {
  mkdirSync(join(folder, "shop"));
  writeZip("shop/T.zip", '{"uuid":"u"}');
  symlinkSync("..", join(folder, "shop/up"));
  symlinkSync("/proc", join(folder, "proc"));
  symlinkSync("nowhere", join(folder, "gone.zip"));
  const listed = await listDumps(openDirectoryReader(folder), EVERYTHING);
  expect(listed.map(({ key }) => key)).toEqual(["shop/T.zip"]);
});

test("a store that lists one page for ever, or sends more than was asked for, is not followed", async () => {
  const store = startScriptedStore(({ method, target }) => {
    if (method === "HEAD")
      return new Response(null, { headers: { etag: '"v"', "content-length": "1000000" } });
    if (!target.includes("list-type")) return new Response(Buffer.alloc(1_000_000));
    return xml(
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
    );
  });
  const settings = storeSettings({
    S3_ENDPOINT: store.endpoint,
    S3_REGION: "us-east-1",
    S3_BUCKET_NAME: "b",
    S3_ACCESS_KEY: "k",
    S3_SECRET: "s",
  });
  const dumps = openS3Reader(settings);
  try {
    expect(await failureOf(dumps.list("").next())).toContain("the same page over and over");
    const source = await dumps.open("T.zip");
    expect(await failureOf(source.read(0, 1000))).toContain("sends more of T.zip than asked");
  } finally {
    dumps.close();
    store.stop();
  }
});
