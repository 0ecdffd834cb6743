import { expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { firstFacts } from "../../../src/composer/dump-facts.ts";
import { openArchive, openDump } from "../../../src/composer/opening.ts";
import { readComposerSettings } from "../../../src/config/composer-settings.ts";
import { partialName } from "../../../src/model/core-file.ts";
import { parseDumpHead } from "../../../src/model/dump-head.ts";
import { FIRST_ENTRY_ROOM_BYTES } from "../../../src/model/partial-layout.ts";
import { HEADER_ROOM_BYTES } from "../../../src/model/zip-records.ts";
import { failureOf } from "../../support/failure.ts";
import { FullDisk } from "../../support/full-disk.ts";
import { sampleCrash } from "../../support/sample-crash.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const UUID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const INFO = firstFacts(UUID, sampleCrash());
const { settings } = readComposerSettings({});

test("CORE_DIR is made where it is missing, for root alone, and the file begins with what is known", () =>
  withFolder(async (folder) => {
    const coreDir = join(folder, "a/b");
    const { file, archive } = await openDump(coreDir, INFO, settings);
    expect(lstatSync(coreDir).mode & 0o777).toBe(0o700);
    const written = readFileSync(join(coreDir, partialName(UUID)));
    expect(written).toHaveLength(FIRST_ENTRY_ROOM_BYTES + HEADER_ROOM_BYTES);
    expect(written.toString("latin1")).toContain('"exe": "server"');
    expect(archive.endBytes).toBe(written.length);
    await file.abandon();
  }));

test("a CORE_DIR that is a link to a folder is what its owner wants", () =>
  withFolder(async (folder) => {
    mkdirSync(join(folder, "disk"));
    symlinkSync("disk", join(folder, "cores"));
    const { file } = await openDump(join(folder, "cores"), INFO, settings);
    expect(readdirSync(join(folder, "disk"))).toEqual([partialName(UUID)]);
    await file.abandon();
  }));

test("a CORE_DIR that is a file, or a link to nowhere, is said", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "file"), "");
    symlinkSync("nowhere", join(folder, "link"));
    for (const name of ["file", "link"])
      expect(await failureOf(openDump(join(folder, name), INFO, settings))).toMatch(
        /cannot (make|write to) CORE_DIR/,
      );
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
  }));

test("a disk without room for the head is full at once, at any place in it", async () => {
  for (let size = 0; size < FIRST_ENTRY_ROOM_BYTES + HEADER_ROOM_BYTES; size += 97)
    expect(await failureOf(openArchive(new FullDisk(size), INFO, settings))).toContain("ENOSPC");
});

test("what becomes known while the core is written stands in dump-info at once, and nothing else moves", () =>
  withFolder(async (folder) => {
    const { file, archive, note } = await openDump(folder, INFO, settings);
    const read = () => readFileSync(join(folder, partialName(UUID)));
    const before = read();
    expect(parseDumpHead(before)?.core_content).toBe("full");
    archive.push(Buffer.from("core"));
    await note({ core_content: "stacks", core_omitted_bytes: 5 });
    await archive.flush();
    const after = read();
    expect(parseDumpHead(after)).toMatchObject({ core_content: "stacks", core_omitted_bytes: 5 });
    expect(after.subarray(FIRST_ENTRY_ROOM_BYTES, before.length)).toEqual(
      before.subarray(FIRST_ENTRY_ROOM_BYTES),
    );
    expect(after.subarray(before.length).toString()).toBe("core");
    await file.abandon();
  }));
