// The compiled composer on a core that lies in a file: what it cannot hold whole it leaves to the file, until it is
// told to keep a part.
import { expect, test } from "bun:test";
import { closeSync, openSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { executablePath, linkExecutable } from "../support/executable.ts";
import { gatedTest } from "../support/gate.ts";
import { installComposer } from "../support/installed-composer.ts";
import { judgeZips } from "../support/many-zips.ts";
import { sampleCore } from "../support/sample-core.ts";
import { withFolder } from "../support/temporary-folder.ts";
import { readersObstacle } from "../support/zip-readers.ts";

const CORE_BYTES = 16 * 2 ** 20;

async function zip(folder: string, settings: Record<string, string>, options: string[] = []) {
  const composer = await installComposer(folder, { FILENAME_TEMPLATE: "T", ...settings });
  const path = join(folder, "core");
  writeFileSync(path, sampleCore(CORE_BYTES));
  const input = openSync(path, "r");
  const program = await linkExecutable(await executablePath(), join(folder, "core-dump-handler"));
  const argv = [program, "composer", `--host-dir=${composer.hostDir}`];
  const child = Bun.spawn([...argv, "--source=file", ...options, "-e=app"], {
    env: {},
    stdio: [input, "ignore", "inherit"],
  });
  await child.exited;
  closeSync(input);
  expect(statSync(path).size).toBe(CORE_BYTES);
  return { composer, exitCode: child.exitCode, files: readdirSync(composer.coreDir) };
}

const TIGHT = { DISK_QUOTA: "4M", DISK_FREE: "0", DISK_RESERVE: "0", COMPRESSION: "false" };

test("where room runs out nothing is published, and the exit code says that the file has to stay", () =>
  withFolder(async (folder) => {
    const { composer, exitCode, files } = await zip(folder, TIGHT);
    expect({ exitCode, files }).toEqual({ exitCode: 33, files: [] });
    expect((await composer.log()).at(-1)).toMatchObject({
      event: "dump_failed",
      error: "the core's file is not whole in the zip (no_space), and stays",
    });
  }));

gatedTest("the last time a part is kept, labelled", [readersObstacle()], () =>
  withFolder(async (folder) => {
    const { composer, exitCode } = await zip(folder, TIGHT, ["--cut=keep"]);
    expect(exitCode).toBe(33);
    const { "T.zip": judged } = await judgeZips(composer.coreDir);
    expect(judged?.bad).toBeNull();
    expect(judged?.info).toMatchObject({ truncated_by: "no_space", core_complete: false });
  }),
);

gatedTest(
  "the owner's own limit is no want: the zip is all that is wanted",
  [readersObstacle()],
  () =>
    withFolder(async (folder) => {
      const { composer, exitCode } = await zip(folder, { MAX_CORE_SIZE: "1Mi" });
      expect(exitCode).toBe(0);
      const { "T.zip": judged } = await judgeZips(composer.coreDir);
      expect(judged?.info).toMatchObject({ truncated_by: "size_limit", core_bytes: 2 ** 20 });
    }),
);
