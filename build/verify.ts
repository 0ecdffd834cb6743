// `bun run verify`: every check there is, on a fresh clone too, ending in one line of figures. What the
// checks are is the table below; nothing here is imported from node_modules, as setup may yet fill it.
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { endCommandsOnSignal, runCommand } from "./command.ts";
import { bold, faint, formatDuration, lastLines, say, step, type Mark } from "./console.ts";
import { installDebianPackages, installNpmPackages } from "./setup.ts";
import { ROOT, executableOf, hostTarget } from "./targets.ts";
import {
  NOTHING,
  addFigures,
  formatFigures,
  parseFigures,
  parseSkipReasons,
  slowestTests,
  type Figures,
} from "./test-figures.ts";
import { kernelObstacle, socketObstacle } from "../test/support/gate.ts";
import { probeKernel } from "../test/support/kernel-probe.ts";
import {
  readKernelAtRest,
  restoreAtRest,
  type KernelSettings,
} from "../test/support/borrowed-kernel.ts";

interface Stage {
  mark: Mark;
  note: string;
  figures: Figures;
  output: string;
  /** The stage's tests that took longest. */
  slowest?: readonly string[];
}

const BUN = process.execPath;
const OUTPUT_MAX_LINES = 400;
const BY_SOCKET_TOO = [
  "kernel/crash-to-zip.test.ts",
  "kernel/interrupted-dumps.test.ts",
  "runtime/pod-metadata.test.ts",
  "runtime/rules.test.ts",
];
/** What must come out the same when the kernel sends its cores to a socket; `@` gets the shorter list. */
const SUITES_OF_SOCKET: Readonly<Record<"@" | "@@", readonly string[]>> = {
  "@": BY_SOCKET_TOO,
  "@@": [
    ...BY_SOCKET_TOO,
    "kernel/hostile-names.test.ts",
    "kernel/disk-limits.test.ts",
    "runtime/lost-runtime.test.ts",
  ],
};
/** Folders of test/e2e whose tests borrow no kernel setting and crash no process. */
const WITHOUT_KERNEL: readonly string[] = ["explain", "store"];
const TEST_TIMEOUT_MS = 30_000;
/** `verify --slowest` adds a line to each stage of tests. */
const SLOWEST_SHOWN = 10;
const showSlowest = process.argv.includes("--slowest");

const startedMs = performance.now();
const kernel = kernelObstacle() === undefined;
const reports = await mkdtemp(join(tmpdir(), "verify-"));
const skips = new Map<string, number>();
let kernelBefore: KernelSettings | undefined;
let total = NOTHING;

endCommandsOnSignal(cleanUp);
say(bold("verify core-dump-handler"));
say(
  `  ${process.platform} ${process.arch}, ${cpus().length} processors, bun ${Bun.version}, ` +
    `kernel tests ${kernel ? "on" : `off (${kernelObstacle()})`}\n`,
);
try {
  const ready = await report("npm packages", () => prepare(installNpmPackages));
  if (ready) {
    await report("Debian packages", () => prepare(installDebianPackages));
    if (kernel) await report("kernel", tryKernel);
    await report("format", () => check([BUN, "fmt", "--check", "--no-script"]));
    await report("types", () => check([BUN, "check", "--no-script"]));
    await report("lint", () =>
      check([BUN, "node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings"]),
    );
    await report("imports", () => check([BUN, "build/import-table.ts"]));
    const isBuilt = await report("build", () => check([BUN, "build/build.ts"]));
    await Promise.all([testWithoutKernel(isBuilt), isBuilt ? testWithKernel() : undefined]);
  }
} finally {
  await report("kernel as it was", kernelIsAsItWas);
  await rm(reports, { recursive: true, force: true });
}

for (const [reason, count] of skips) say(`  ${count} skipped: ${reason}`);
say(`  in ${formatDuration(performance.now() - startedMs)}\n`);
say(formatFigures(total));
process.exitCode = total.failed === 0 ? 0 : 1;

/** What leaves the kernel's settings alone: runs beside the stages that wait for each other's kernel. */
async function testWithoutKernel(isBuilt: boolean): Promise<void> {
  await report("unit tests", () => tests("unit"));
  if (!isBuilt) return;
  await report("binary tests", () => tests("binary"));
  for (const part of WITHOUT_KERNEL) await report(`e2e ${part}`, () => tests(`e2e/${part}`));
}

async function testWithKernel(): Promise<void> {
  for (const part of await foldersOf("test/e2e"))
    if (!WITHOUT_KERNEL.includes(part)) await report(`e2e ${part}`, () => tests(`e2e/${part}`));
  if (socketObstacle() !== undefined) return;
  for (const [way, files] of Object.entries(SUITES_OF_SOCKET))
    await report(`e2e by ${way}`, () => tests("e2e", { files, way }));
}

/** Runs a stage, prints its line and, where it failed or has something to say, its output. */
async function report(title: string, run: () => Promise<Stage>): Promise<boolean> {
  const stage = await step(title, () =>
    run().catch((error: unknown) => failed("the stage itself failed", Bun.inspect(error))),
  );
  total = addFigures(total, stage.figures);
  if (stage.mark !== "ok" && stage.output !== "") {
    say(lastLines(stage.output, OUTPUT_MAX_LINES).replace(/^/gm, "      "));
  }
  if (showSlowest && stage.slowest !== undefined)
    say(faint(`      slowest: ${stage.slowest.join("; ")}`));
  return stage.mark !== "FAILED";
}

/** A command that passes or fails as a whole counts as one check. */
async function check(argv: readonly string[]): Promise<Stage> {
  const { ok, output, reason } = await runCommand(argv);
  if (!ok) return failed(reason, output);
  return { mark: "ok", note: "", figures: { ...NOTHING, passed: 1 }, output };
}

/** The preparations count only when they fail. */
async function prepare(install: typeof installNpmPackages): Promise<Stage> {
  const { mark, note = "", output = "" } = await install();
  return { mark, note, figures: { ...NOTHING, failed: mark === "FAILED" ? 1 : 0 }, output };
}

/** Where it does not start our programs, the tests that need it are skipped, with this reason. */
async function tryKernel(): Promise<Stage> {
  kernelBefore = await readKernelAtRest();
  const obstacle = await probeKernel();
  if (obstacle === undefined)
    return { mark: "ok", note: "starts our programs", figures: NOTHING, output: "" };
  process.env["CDH_KERNEL_OBSTACLE"] = obstacle;
  return {
    mark: "skipped",
    note: "does not start our programs",
    figures: NOTHING,
    output: obstacle,
  };
}

/** The tests of a folder, or some files of it, with the cores coming by the pipe or another way. */
async function tests(
  folder: string,
  { files = [""], way = "" }: { files?: readonly string[]; way?: string } = {},
): Promise<Stage> {
  const file = join(reports, `${folder.replace("/", "-")}${way}.xml`);
  const { ok, output, reason } = await runCommand(
    [
      BUN,
      "test",
      "--randomize",
      "--only-failures",
      "--no-orphans",
      `--timeout=${TEST_TIMEOUT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${file}`,
      ...files.map((name) => `./test/${folder}/${name}`),
    ],
    {
      env: {
        CDH_EXECUTABLE: executableOf(hostTarget()),
        CDH_CAPTURE: way,
        PATH: pathWithAdminTools(),
      },
    },
  );
  const xml = await readFile(file, "utf8").catch(() => undefined);
  const figures = parseFigures(xml, output, ok);
  for (const [why, count] of parseSkipReasons(xml ?? "")) {
    skips.set(why, (skips.get(why) ?? 0) + count);
  }
  const note = formatFigures(figures);
  if (figures.failed > 0) return { mark: "FAILED", note, figures, output: `${output}\n${reason}` };
  return { mark: "ok", note, figures, output, slowest: slowestTests(xml ?? "", SLOWEST_SHOWN) };
}

/** mkfs and its like lie where a PATH of cron, sudo or CI often does not look. */
function pathWithAdminTools(): string {
  return [process.env["PATH"] ?? "/usr/bin:/bin", "/usr/sbin", "/sbin"].join(":");
}

async function foldersOf(path: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, path), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** A test that was killed could not restore the sysctls, nor end its agents: done here, and counted. */
async function kernelIsAsItWas(): Promise<Stage> {
  if (kernelBefore === undefined)
    return { mark: "ok", note: "not touched", figures: NOTHING, output: "" };
  const wrong = await restoreAtRest(kernelBefore);
  if (wrong.length === 0)
    return { mark: "ok", note: "", figures: { ...NOTHING, passed: 1 }, output: "" };
  return failed("a test left it changed; restored", wrong.join("\n"));
}

async function cleanUp(): Promise<void> {
  if (kernelBefore !== undefined) await restoreAtRest(kernelBefore);
  await rm(reports, { recursive: true, force: true });
}

function failed(note: string, output: string): Stage {
  return { mark: "FAILED", note, figures: { ...NOTHING, failed: 1 }, output };
}
