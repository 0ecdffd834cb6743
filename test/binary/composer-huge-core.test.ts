// A core of more than 4 GiB whose zip is small: every reader must see its true size, streaming ones too, and the
// composer must not grow with it.
import { expect } from "bun:test";
import { join } from "node:path";
import { runComposerProcess } from "../support/composer-process.ts";
import { gatedTest } from "../support/gate.ts";
import { installComposer } from "../support/installed-composer.ts";
import { runTool } from "../support/run-tool.ts";
import { withFolder } from "../support/temporary-folder.ts";
import { readersObstacle } from "../support/zip-readers.ts";

const CORE_BYTES = 4 * 2 ** 30 + 7;
gatedTest(
  "a core of 4 GiB of zeros has its size for every reader",
  [readersObstacle()],
  () =>
    withFolder(async (folder) => {
      const composer = await installComposer(folder, { FILENAME_TEMPLATE: "T" });
      const script = `exec head -c ${CORE_BYTES} /dev/zero`;
      expect(await runComposerProcess(composer, { script })).toBe(0);
      const zip = join(composer.coreDir, "T.zip");
      expect(Bun.file(zip).size).toBeLessThan(10_000_000);

      const python = `import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).getinfo("T.core").file_size)`;
      const [unzip, listed, streamed, info] = await Promise.all([
        runTool(["unzip", "-l", zip, "T.core"]),
        runTool(["python3", "-c", python, zip]),
        // From a pipe there is no going back: the entry's own header has to do. Its check sum is verified.
        runTool(["sh", "-c", 'cat "$0" | bsdtar -xOf - T.core | wc -c', zip]),
        runTool(["unzip", "-p", zip, "T-dump-info.json"]),
      ]);
      expect(unzip).toContain(`\n${CORE_BYTES} `);
      expect([Number(listed), Number(streamed)]).toEqual([CORE_BYTES, CORE_BYTES]);
      expect(JSON.parse(info)).toMatchObject({ core_bytes: CORE_BYTES, core_format: "unknown" });
    }),
  120_000,
);
