import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { ZipArchive } from "../../../src/composer/zip-archive.ts";
import { DEFLATED, STORED } from "../../../src/model/zip-records.ts";
import { gatedTest } from "../../support/gate.ts";
import { runTool } from "../../support/run-tool.ts";
import { FullDisk } from "../../support/full-disk.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readWithAll, readersObstacle } from "../../support/zip-readers.ts";

const text = (content: string) => new TextEncoder().encode(content);
const MODIFIED = new Date(1_700_000_000_000);

async function open(capacityBytes = 1_000_000) {
  const disk = new FullDisk(capacityBytes);
  const archive = new ZipArchive(disk, MODIFIED);
  await archive.addFirst("T", "-first.json", text("{}"));
  return { disk, archive };
}

/** What every reader makes of the file, which must be the same. */
function read(disk: FullDisk): Promise<Record<string, number>> {
  return withFolder(async (folder) => {
    const path = join(folder, "T.zip");
    writeFileSync(path, disk.content);
    const readings = await readWithAll(path);
    for (const reading of readings)
      expect(reading).toMatchObject({ ok: true, sizes: readings[0]?.sizes ?? {} });
    return readings[0]?.sizes ?? {};
  });
}

for (const method of [STORED, DEFLATED] as const)
  gatedTest(
    `entries of any length come back from every reader (method ${method})`,
    [readersObstacle()],
    async () => {
      const { disk, archive } = await open();
      for (const sizeBytes of [0, 1, 1000, 100_000])
        await archive.add("T", `-${sizeBytes}`, new Uint8Array(sizeBytes).fill(65), method);
      await archive.finish("T", text('{"last":"known"}'));
      expect(await read(disk)).toEqual({
        "T-first.json": 16,
        "T-0": 0,
        "T-1": 1,
        "T-1000": 1000,
        "T-100000": 100_000,
      });
    },
  );

gatedTest("names may become longer and shorter at the end", [readersObstacle()], async () => {
  for (const base of ["x", "x".repeat(200)]) {
    const { disk, archive } = await open();
    await archive.add("T", "-a", text("a"), DEFLATED);
    await archive.finish(base, text("{}"));
    expect(Object.keys(await read(disk))).toEqual([`${base}-first.json`, `${base}-a`]);
  }
});

gatedTest("the first entry may grow up to its room", [readersObstacle()], async () => {
  const { disk, archive } = await open();
  await archive.finish("T", text("x".repeat(16 * 1024)));
  expect(await read(disk)).toEqual({ "T-first.json": 16 * 1024 });
});

gatedTest(
  "an entry that finds no room leaves no trace, and the others stay",
  [readersObstacle()],
  async () => {
    const { disk, archive } = await open(20_000);
    await archive.add("T", "-a", text("a"), STORED);
    const before = disk.sizeBytes;
    expect(archive.add("T", "-big", new Uint8Array(50_000), STORED)).rejects.toThrow("ENOSPC");
    await Bun.sleep(5);
    expect(disk.sizeBytes).toBe(before);
    await archive.add("T", "-b", text("b"), STORED);
    await archive.finish("T", text("{}"));
    expect(Object.keys(await read(disk))).toEqual(["T-first.json", "T-a", "T-b"]);
  },
);

gatedTest(
  "an entry under way can be cut back, and others follow it",
  [readersObstacle()],
  async () => {
    for (const kept of [0, 5]) {
      const { disk, archive } = await open();
      archive.begin("T", ".core", STORED);
      archive.push(text("12345").subarray(0, kept));
      await archive.flush();
      const checkpoint = {
        fileBytes: archive.endBytes,
        crc: crc32("12345".slice(0, kept)),
        sizeBytes: kept,
      };
      archive.push(text("what there is no room for"));
      await archive.flush();
      archive.push(text("and what was never written"));
      await archive.cutBack(1, checkpoint, new Uint8Array(0));
      await archive.add("T", "-after", text("after"), DEFLATED);
      await archive.finish("T", text("{}"));
      expect(await read(disk)).toEqual({ "T-first.json": 2, "T.core": kept, "T-after": 5 });
    }
  },
);

gatedTest("entries after the one that is cut back go too", [readersObstacle()], async () => {
  const { disk, archive } = await open();
  archive.begin("T", ".core", DEFLATED);
  await archive.flush();
  const checkpoint = { fileBytes: archive.endBytes, crc: 0, sizeBytes: 0 };
  archive.push(deflateRawSync(text("data")));
  archive.end(crc32("data"), 4);
  await archive.flush();
  await archive.add("T", "-after", text("after"), STORED);
  await archive.cutBack(1, checkpoint, deflateRawSync(new Uint8Array(0)));
  await archive.finish("T", text("{}"));
  expect(await read(disk)).toEqual({ "T-first.json": 2, "T.core": 0 });
});

gatedTest(
  "the file is private to its owner once it is unpacked, and as old as its crash",
  [readersObstacle()],
  async () => {
    const { disk, archive } = await open();
    await archive.finish("T", text("{}"));
    await withFolder(async (folder) => {
      writeFileSync(join(folder, "T.zip"), disk.content);
      const listing = await runTool(["unzip", "-Z", join(folder, "T.zip")]);
      expect(listing).toMatch(/-rw-------.*stor 23-Nov-14 22:13 T-first\.json/);
    });
  },
);
