// What is read from a zip's first entry, and what becomes of hostile values.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { keyValuesOf } from "../../../src/model/key-values.ts";
import { labelsOf, readDumpInfo } from "../../../src/store/dump-labels.ts";
import { parseDumpHead } from "../../../src/model/dump-head.ts";
import { asKnownInfo } from "../../../src/model/dump-info.ts";
import { temporaryFolder, writeDump } from "../../support/dumps.ts";

const CONTEXT = { zipPath: "/cores/T.zip", cluster: "prod", nowMs: Date.UTC(2024, 0, 2, 3) };
const INFO = { uuid: "u-1", namespace: "shop", podname: "cart-0", core_complete: false };

test.each([true, false])("dump-info is read, deflated (%p) or stored", async (deflateInfo) => {
  const path = writeDump(temporaryFolder(), "T.zip", {
    coreBytes: 100_000,
    info: INFO,
    deflateInfo,
  });
  expect(await readDumpInfo(path)).toMatchObject(INFO);
});

test("a zip made by Info-ZIP is read as well", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "T-dump-info.json"), JSON.stringify(INFO));
  const python = Bun.spawnSync(
    ["python3", "-c", "import zipfile;zipfile.ZipFile('T.zip','w').write('T-dump-info.json')"],
    { cwd: folder },
  );
  expect(python.exitCode).toBe(0);
  expect(await readDumpInfo(join(folder, "T.zip"))).toEqual(INFO);
});

test("what is no zip of ours has no labels, and is no error", () => {
  for (const bytes of [
    "",
    "PK",
    "PK\u0003\u0004",
    "x".repeat(200_000),
    `PK\u0003\u0004${"\u00ff".repeat(100)}`,
  ])
    expect(parseDumpHead(Buffer.from(bytes, "latin1"))).toBeUndefined();
});

test("a deflate bomb in the first entry is not inflated", () => {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(8, 8);
  const name = "T-dump-info.json";
  head.writeUInt16LE(name.length, 26);
  const bomb = Bun.deflateSync(new Uint8Array(64 * 2 ** 20));
  expect(parseDumpHead(Buffer.concat([head, Buffer.from(name), bomb]))).toBeUndefined();
});

test("what is not known is unknown, and the date is then that of the upload", () => {
  const values = keyValuesOf(
    asKnownInfo({ namespace: null, podname: 7, timestamp: "never" }),
    CONTEXT,
  );
  expect(values).toMatchObject({
    filename: "T.zip",
    cluster: "prod",
    namespace: "unknown",
    podname: "7",
    container: "unknown",
    uuid: "T.zip",
    date: "2024-01-02",
    hour: "03",
  });
});

test("tags are filled in, and what names none is left out", () => {
  const values = keyValuesOf({ ...INFO, podname: "a&b=c,d" }, CONTEXT);
  const { tags } = labelsOf(INFO, values, "team=core, pod={podname},empty=,=nokey");
  expect(tags).toEqual({ team: "core", pod: "a&b=c,d", empty: "" });
});
