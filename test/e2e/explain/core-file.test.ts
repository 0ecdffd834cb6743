// The compiled composer, given a core that lay in a file: it explains it by the file itself and by the layers that the
// agent knew, as one would later by hand; without them dump-info says why there is no summary.
import { expect } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openMemoryText } from "../../../src/host/memory-file.ts";
import { explainFile } from "../../../src/reading/explain-file.ts";
import { buildCrashes, buildObstacle } from "../../support/crash-builds.ts";
import { crashInDebugger } from "../../support/debugged-core.ts";
import { executablePath, linkExecutable } from "../../support/executable.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { installComposer } from "../../support/installed-composer.ts";
import { openZipOf, type OpenedZip } from "../../support/opened-zip.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const obstacles = [
  missingProgram("gdb"),
  missingProgram("unzip"),
  buildObstacle("c-O0"),
  process.getuid?.() === 0 ? undefined : "needs root (the explainer becomes nobody)",
];

/** The dump of a double free, whose process was dumpable or not. */
async function compose(
  folder: string,
  layers: readonly string[],
  { dumpable = 1, before = [] }: { dumpable?: number; before?: readonly string[] } = {},
): Promise<{ zip: OpenedZip; core: string }> {
  await mkdir(folder, { recursive: true });
  const core = join(folder, "core");
  await crashInDebugger([await buildCrashes("c-O0"), "double_free"], core);
  const composer = await installComposer(folder, { EXPLAIN_TIMEOUT: 30, MODULES: "all" });
  const known = openMemoryText("known", JSON.stringify({ pod: null, container: null, layers }));
  // Its name makes it another role than the kernel's helper.
  const program = await linkExecutable(await executablePath(), join(folder, "core-dump-handler"));
  const input = openSync(core, "r");
  const words = ["--source=file", "--known-fd=3", "-e=crashes", "-p=7", "-s=6", "-t=1700000000"];
  const child = Bun.spawn(
    [...before, program, "composer", `--host-dir=${composer.hostDir}`, ...words, `-k=${dumpable}`],
    { env: {}, cwd: "/", stdio: [input, "ignore", "inherit", known], timeout: 60_000 },
  );
  await child.exited;
  for (const fd of [input, known]) closeSync(fd);
  expect(child.exitCode).toBe(0);
  return { core, zip: await openZipOf("crashes", composer.coreDir, folder) };
}

gatedTest("a core file is explained by itself and the layers that the agent knew", obstacles, () =>
  withFolder(async (folder) => {
    const { zip, core } = await compose(folder, ["/nonexistent", "/"]);
    const later = await explainFile(core, {});
    expect(zip.info).toMatchObject({
      title: later.title,
      bug: later.fingerprint.bug,
      exact: later.fingerprint.exact,
      missing: [],
    });
    const found = await zip.json("-summary.json");
    expect(found).toMatchObject({ abort_message: { source: "abort_message" }, incomplete: [] });
    expect(JSON.stringify(await zip.json("-modules.json"))).toContain("libc.so");
    expect((await zip.bytes(".core")).equals(readFileSync(core))).toBe(true);
  }),
);

gatedTest("of a process that was not dumpable no memory is told", obstacles, () =>
  withFolder(async (folder) => {
    const { zip } = await compose(folder, ["/"], { dumpable: 2 });
    const found = await zip.text("-summary.json");
    expect(found).toContain("close_connection");
    expect(found).not.toContain("double free or corruption");
    expect(JSON.parse(found)).toMatchObject({ abort_message: null });
  }),
);

gatedTest("where the layers are gone, dump-info says why there is no summary", obstacles, () =>
  withFolder(async (folder) => {
    const { zip } = await compose(folder, [join(folder, "removed")]);
    expect(zip.info).toMatchObject({ core_complete: true, title: null, bug: null });
    expect(zip.info.missing).toContainEqual({
      what: "summary",
      why: "the program's file is not there any more, or in no layer of its container",
    });
  }),
);

/** What the chart gives the agent in file capture, beside the last two. */
const RIGHTS = "-all,+dac_override,+fowner,+lease,+syslog";

gatedTest(
  "the chart's capabilities are enough; without SETUID and SETGID there is no summary, and dump-info says why",
  [...obstacles, missingProgram("setpriv")],
  () =>
    withFolder(async (folder) => {
      const bounded = (rights: string) => [
        "setpriv",
        "--inh-caps=-all",
        `--bounding-set=${rights}`,
      ];
      const enough = await compose(join(folder, "a"), ["/"], {
        before: bounded(`${RIGHTS},+setgid,+setuid`),
      });
      expect(enough.zip.info.missing).toEqual([]);
      const less = await compose(join(folder, "b"), ["/"], { before: bounded(RIGHTS) });
      expect(less.zip.info.missing).toEqual([
        { what: "summary", why: expect.stringContaining("the explainer cannot be confined") },
      ]);
    }),
);
