import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { firstFacts } from "../../../src/composer/dump-facts.ts";
import { openArchive } from "../../../src/composer/opening.ts";
import { PartialFile } from "../../../src/composer/partial-file.ts";
import { listStored, readDumpOwner } from "../../../src/host/stored-dumps.ts";
import type { DumpInfo } from "../../../src/model/dump-info.ts";
import { sampleCrash } from "../../support/sample-crash.ts";
import { withFolder } from "../../support/temporary-folder.ts";

/** A dump without a mark, as it lies on a filesystem that takes none, or was left by an earlier version. */
async function putDump(folder: string, info: Partial<DumpInfo>, marked?: string): Promise<string> {
  const uuid = crypto.randomUUID();
  const file = await PartialFile.create(folder, uuid);
  const settings = { FILENAME_TEMPLATE: "{uuid}", COMPRESSION: true };
  await openArchive(file, { ...firstFacts(uuid, sampleCrash()), ...info }, settings);
  if (marked !== undefined) file.markOwner({ namespace: marked, workload: "w" });
  return join(folder, await file.publish(uuid));
}

test("without a mark dump-info in the zip tells whose it is, and a guess counts as unknown", () =>
  withFolder(async (folder) => {
    const shop = { identity: "cgroup", namespace: "shop", podname: "web" } as const;
    const [one, two] = [await putDump(folder, shop), await putDump(folder, shop)];
    expect(readDumpOwner(one).namespace).toBe("shop");
    expect(readDumpOwner(two)).toEqual(readDumpOwner(one));
    const unsure = await putDump(folder, { identity: "unknown", namespace: "shop" });
    expect(readDumpOwner(unsure).namespace).toBe("(unknown)");
    const host = await putDump(folder, { identity: "host_process" });
    expect(readDumpOwner(host).namespace).toBe("(host)");
  }));

test("the mark goes before what stands in the zip", () =>
  withFolder(async (folder) => {
    const path = await putDump(folder, { identity: "cgroup", namespace: "shop" }, "bank");
    expect(readDumpOwner(path)).toEqual({ namespace: "bank", workload: "w" });
  }));

test("what is no dump of ours is nobody's; files that are no dumps count by their size only", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "odd.zip"), "no zip at all");
    writeFileSync(join(folder, "notes.txt"), "x");
    expect(readDumpOwner(join(folder, "gone.zip")).namespace).toBe("(unknown)");
    const { dumps, usedBytes } = await listStored(folder);
    expect(dumps).toMatchObject([{ name: "odd.zip", namespace: "(unknown)", workload: "odd.zip" }]);
    expect(usedBytes).toBeGreaterThan(dumps[0]?.sizeBytes ?? Infinity);
  }));
