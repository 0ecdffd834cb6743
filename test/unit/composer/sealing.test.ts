import { expect } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { composeZip } from "../../support/composed-zip.ts";
import { gatedTest } from "../../support/gate.ts";
import { judgeZips } from "../../support/many-zips.ts";
import { sampleCore } from "../../support/sample-core.ts";
import { FullDisk } from "../../support/full-disk.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const CORE = sampleCore(1_200_000, 3);
const ENTRIES = [
  { suffix: "-pod-info.json", data: Buffer.from(`{"id":"${"x".repeat(3000)}"}\n`) },
  { suffix: "-0.log", data: sampleCore(200_000, 5) },
  { suffix: "-1.log", data: Buffer.from("short\n") },
];
/** Header, dump-info, the core's header: where the core's data begins. */
const CORE_AT = 512 + 16 * 1024 + 512;

/** Composes the core onto disks of every one of these sizes, and lets Python judge what came of it. */
async function fillDisks(diskSizes: readonly number[], compress: boolean, isKnownBug = false) {
  return withFolder(async (folder) => {
    writeFileSync(join(folder, "input"), CORE);
    const refused: number[] = [];
    // Kept open until all is done: a drain that gave up may still have a read under way.
    const inputs: number[] = [];
    for (const capacity of diskSizes) {
      const input = openSync(join(folder, "input"), "r");
      inputs.push(input);
      const disk = new FullDisk(capacity);
      try {
        await composeZip(input, disk, { compress, entries: ENTRIES, isKnownBug });
        writeFileSync(join(folder, `${capacity}.zip`), disk.content);
      } catch (error) {
        expect(String(error)).toMatch(/is full|ENOSPC/);
        refused.push(capacity);
      }
    }
    const judged = await judgeZips(folder);
    for (const input of inputs) closeSync(input);
    return { refused, judged };
  });
}

/** Every place that matters: around each boundary, and strides of an odd length over the rest. */
function capacities(end: number): number[] {
  const sizes = new Set<number>();
  for (let size = 15_000; size < 22_000; size += 131) sizes.add(size);
  for (let size = CORE_AT; size < end; size += 23_456) sizes.add(size);
  for (let size = end - 20_000; size < end + 2000; size += 611) sizes.add(size);
  return [...sizes].toSorted((a, b) => a - b);
}

for (const compress of [true, false])
  gatedTest(
    `a disk that is full at any place leaves a whole, honest zip (${compress ? "deflated" : "stored"})`,
    [readersObstacle()],
    async () => {
      const roomy = new FullDisk(3_000_000);
      const end = await withFolder(async (folder) => {
        writeFileSync(join(folder, "input"), CORE);
        const input = openSync(join(folder, "input"), "r");
        await composeZip(input, roomy, { compress, entries: ENTRIES });
        closeSync(input);
        return roomy.sizeBytes;
      });
      const sizes = capacities(end);
      const { refused, judged } = await fillDisks(sizes, compress);
      // Only a disk that cannot even hold the head, an empty core and the directory gives nothing.
      expect(Math.max(...refused)).toBeLessThan(CORE_AT + 1024);
      expect(Object.keys(judged)).toHaveLength(sizes.length - refused.length);
      for (const [name, { bad, names, sizes: sizesInZip, info }] of Object.entries(judged)) {
        expect([name, bad]).toEqual([name, null]);
        expect(names.slice(0, 2)).toEqual(["T-dump-info.json", "T.core"]);
        const whole = sizesInZip[1] === CORE.length;
        const { core_bytes, core_expected_bytes, core_complete, truncated_by } = info;
        expect([name, core_bytes, core_complete, truncated_by]).toEqual(
          whole ? [name, CORE.length, true, null] : [name, sizesInZip[1], false, "no_space"],
        );
        expect(core_expected_bytes).toBe(CORE.length);
        const missing = (info["missing"] as { what: string }[]).map(({ what }) => what);
        const all = ENTRIES.map(({ suffix }) => `T${suffix}`);
        expect([...names.slice(2), ...missing].toSorted()).toEqual(all.toSorted());
      }
      expect(judged[`${sizes.at(-1)}.zip`]?.sizes[1]).toBe(CORE.length);
    },
    60_000,
  );

for (const compress of [true, false])
  gatedTest(
    `of a known bug a zip has all but the core, on a disk that is full at any place (${compress ? "deflated" : "stored"})`,
    [readersObstacle()],
    async () => {
      const around = Array.from({ length: 60 }, (_, step) => CORE_AT - 100 + step * 37);
      const sizes = [15_000, ...around, 100_000, 400_000, 3_000_000];
      const { refused, judged } = await fillDisks(sizes, compress, true);
      expect(Math.max(...refused)).toBeLessThan(CORE_AT + 1024);
      for (const { bad, names, sizes: sizesInZip, info } of Object.values(judged)) {
        expect(bad).toBeNull();
        expect(sizesInZip[1]).toBe(0);
        const { core_bytes, core_expected_bytes, truncated_by } = info;
        expect([core_bytes, core_expected_bytes, truncated_by]).toEqual([
          0,
          CORE.length,
          "known_bug",
        ]);
        const missing = (info["missing"] as { what: string }[]).map(({ what }) => what);
        const all = ENTRIES.map(({ suffix }) => `T${suffix}`);
        expect([...names.slice(2), ...missing].toSorted()).toEqual(all.toSorted());
      }
      expect(judged["3000000.zip"]?.names).toHaveLength(2 + ENTRIES.length);
    },
  );
