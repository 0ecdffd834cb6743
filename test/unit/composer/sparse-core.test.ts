// A core in a file with holes, as the kernel leaves it where memory was never touched: its zip holds the zeros.
import { expect } from "bun:test";
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { PartialFile } from "../../../src/composer/partial-file.ts";
import { BASE, composeZip, type Composition } from "../../support/composed-zip.ts";
import { elfHead } from "../../support/elf-head.ts";
import { gatedTest } from "../../support/gate.ts";
import { runTool } from "../../support/run-tool.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const MIB = 2 ** 20;
const BLOCK = 256 * 1024;

/** A file of sizeBytes, all hole but for an ELF head and the bytes at these places. */
function writeSparse(path: string, sizeBytes: number, places: readonly number[]): void {
  const offset = 4096;
  const fd = openSync(path, "wx");
  const segments = [{ offset, fileBytes: sizeBytes - offset }];
  writeSync(fd, elfHead({ bits: 64, order: "little", segments }));
  for (const at of places) writeSync(fd, Buffer.from("data"), 0, 4, at);
  ftruncateSync(fd, sizeBytes);
  closeSync(fd);
}

async function compose(folder: string, path: string, composition: Partial<Composition> = {}) {
  const input = openSync(path, "r");
  const file = await PartialFile.create(folder, crypto.randomUUID());
  const { end, info } = await composeZip(input, file, composition);
  const zip = join(folder, await file.publish(BASE));
  closeSync(input);
  return { end, info, zip };
}

const SHAPES: [string, number, number[]][] = [
  ["nothing but holes", 20 * MIB, []],
  ["data in the middle and a short rest", 20 * MIB + 777, [3 * MIB, 3 * MIB + BLOCK - 2, 9 * MIB]],
  ["more than one run, and data in the last byte", 150 * MIB, [70 * MIB, 150 * MIB - 4]],
  ["shorter than a block", 10_000, [9_000]],
];
for (const compress of [true, false])
  for (const [what, sizeBytes, places] of SHAPES)
    gatedTest(
      `${what} comes back as it was (${compress ? "deflated" : "stored"})`,
      [readersObstacle()],
      () =>
        withFolder(async (folder) => {
          const path = join(folder, "core");
          writeSparse(path, sizeBytes, places);
          const { end, info, zip } = await compose(folder, path, { compress });
          expect({ end, bytes: info.core_bytes }).toEqual({ end: "end", bytes: sizeBytes });
          expect(info.core_complete).toBe(true);
          await runTool(["sh", "-c", `unzip -p '${zip}' '*.core' | cmp - '${path}'`]);
          // unzip judges the check sum.
          await runTool(["unzip", "-tq", zip]);
        }),
    );

gatedTest("the owner's limit holds in a hole", [readersObstacle()], () =>
  withFolder(async (folder) => {
    const path = join(folder, "core");
    writeSparse(path, 2 ** 40, []);
    const maxCoreBytes = 3 * MIB + 5;
    const { end, info, zip } = await compose(folder, path, { options: { maxCoreBytes } });
    expect({ end, bytes: info.core_bytes }).toEqual({ end: "size_limit", bytes: maxCoreBytes });
    await runTool(["unzip", "-tq", zip]);
  }),
);

gatedTest("a hole that is not an ELF core's is read like all else", [readersObstacle()], () =>
  withFolder(async (folder) => {
    const path = join(folder, "core");
    writeFileSync(path, "text");
    const fd = openSync(path, "r+");
    ftruncateSync(fd, 3 * MIB);
    closeSync(fd);
    const { zip } = await compose(folder, path);
    await runTool(["sh", "-c", `unzip -p '${zip}' '*.core' | cmp - '${path}'`]);
    expect(readFileSync(path)).toHaveLength(3 * MIB);
  }),
);
