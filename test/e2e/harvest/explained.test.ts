// A core that the kernel wrote into a container says why it crashed, by the core file and the container's own layers, while
// these are there.
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseCrashSummary } from "../../../src/model/crash-summary-json.ts";
import type { Json } from "../../../src/model/json.ts";
import { readInDebugger } from "../../support/debugged-core.ts";
import { harvestSuite } from "../../support/harvest-suite.ts";
import { crashFirst } from "../../support/runtime-suite.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const { harvestTest, app, start, startAll, layersOf } = harvestSuite();

harvestTest(
  "a core file's summary has the frames that gdb sees with the container's program, and its modules are listed",
  (harvested) =>
    withFolder(async (folder) => {
      const pod = await start("explained", { uid: 1000 });
      const program = (await layersOf(pod))
        .map((layer) => join(layer, "bin/app"))
        .find((path) => existsSync(path));
      await crashFirst({ pod });
      const [zip] = await harvested.zipsOf({ podname: "explained" });
      expect(zip?.info).toMatchObject({ title: expect.stringContaining("SIGSEGV in crash ←") });
      expect(zip?.info.missing).toEqual([]);
      const summary = parseCrashSummary((await zip?.json("-summary.json")) as Json);
      expect(summary?.signal?.sentence).toBe("write of unmapped address 0x0: close to null");
      expect(summary?.incomplete).toEqual([]);
      expect(summary?.fingerprint.bug).toBe(zip?.info.bug ?? "none");
      const core = join(folder, "core");
      await writeFile(core, (await zip?.bytes(".core")) ?? "");
      const debugged = await readInDebugger(program ?? "none", core);
      const thread = summary?.crashing_thread;
      expect(thread?.frames.map(({ address }) => address)).toEqual(
        debugged.find(({ tid }) => tid === thread?.tid)?.frames.map(({ address }) => address) ?? [],
      );
      expect(JSON.stringify(await zip?.json("-modules.json"))).toContain("/bin/app");
    }),
  { EXPLAIN_TIMEOUT: 30, MODULES: "all" },
);

harvestTest(
  "where nobody knows whose files were mapped, dump-info says that there is no summary, and why",
  (harvested) =>
    withFolder(async (folder) => {
      const hostPath = join(folder, "empty-dir");
      await mkdir(hostPath);
      await chmod(hostPath, 0o1777);
      const mounts = [{ containerPath: "/tmp", hostPath }];
      // The process that crashes is not the container's first, whose end would tell.
      const pod = await startAll("unknown", [
        app({ name: "other", mounts }),
        app({ mounts, args: ["deep", "1"] }),
      ]);
      const [, crashing] = pod.containers;
      if (crashing === undefined) throw new Error("the pod has two containers");
      await crashFirst({ pod: { ...pod, containers: [crashing] } });
      const [zip] = await harvested.zipsOf({ podname: "unknown" });
      expect(zip?.info).toMatchObject({ core_complete: true, title: null, bug: null });
      expect(zip?.info.missing).toContainEqual({
        what: "summary",
        why: "it is not known where the files of the crashed process are",
      });
    }),
);
