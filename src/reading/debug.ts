// `debug`: extracts the core to a temporary folder and starts a debugger on it, with the crashed program's executable
// where this machine has that build. The debugger gets the environment (such as DEBUGINFOD_URLS) and runs no script
// that it finds beside the program, in the core's libraries or in the working directory.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../model/app-error.ts";
import { parseCoreNotes } from "../model/core-notes.ts";
import { oneLine } from "../model/printable.ts";
import { openFileSource, type ByteSource } from "../store/byte-source.ts";
import { findEntry, type DumpZip } from "./dump-zip.ts";
import { extractToFile } from "./extract.ts";
import { readInfo } from "./info.ts";
import { compareBuilds, type BuildVerdict } from "./program-build.ts";

/** How many first bytes are read; they hold program headers and notes. */
const CORE_HEAD_BYTES = 4 << 20;

const DEBUGGERS = ["gdb", "lldb"] as const;
type Debugger = (typeof DEBUGGERS)[number];

/** Runs the debugger and returns its exit code. Throws AppError "usage" where none is installed. */
export async function debugDump(zip: DumpZip, extraArgs: readonly string[]): Promise<number> {
  const found = findDebugger();
  const folder = await mkdtemp(join(tmpdir(), "core-dump-handler-"));
  try {
    const core = join(folder, "core");
    await extractToFile(zip, findEntry(zip, "core"), core, false);
    const program = await findProgram(zip, core);
    const command = commandOf(found, program, core, extraArgs);
    const child = Bun.spawn(command, { stdio: ["inherit", "inherit", "inherit"] });
    // Ctrl-C belongs to the debugger, where it interrupts the program. SIGTERM ends the debugger, and then this
    // process.
    const listeners = {
      SIGINT: () => undefined,
      SIGTERM: () => child.kill("SIGTERM"),
      SIGHUP: () => child.kill("SIGHUP"),
    };
    for (const [signal, listener] of Object.entries(listeners)) process.on(signal, listener);
    const code = await child.exited;
    for (const [signal, listener] of Object.entries(listeners)) process.off(signal, listener);
    return code;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function findDebugger(): { name: Debugger; path: string } {
  for (const name of DEBUGGERS) {
    const path = Bun.which(name);
    if (path !== null) return { name, path };
  }
  throw new AppError("usage", "there is no gdb or lldb here", {
    hint: "install one, or extract the core and take it to a machine that has one",
  });
}

/** Finds the crashed program's executable on this machine, unless it is another build, and prints which it is. */
async function findProgram(zip: DumpZip, corePath: string): Promise<string | undefined> {
  const core = await openFileSource(corePath);
  try {
    const path = await crashedPath(zip, core);
    if (path === undefined) return undefined;
    const program = await openFileSource(path).catch(() => undefined);
    if (program === undefined) {
      say(`${path} is not on this machine: no program is loaded`);
      return undefined;
    }
    const verdict = await compareBuilds(core, program).finally(() => program.close());
    say(sentenceOf(path, verdict));
    return verdict.kind === "different" ? undefined : path;
  } finally {
    await core.close();
  }
}

/**
 * Returns the executable's path as the crashed process saw it. Accepts only an absolute path, because another text
 * might be an option.
 */
async function crashedPath(zip: DumpZip, core: ByteSource): Promise<string | undefined> {
  const { exe_path: told } = await readInfo(zip);
  const path =
    typeof told === "string" && told !== ""
      ? told
      : parseCoreNotes(await core.read(0, CORE_HEAD_BYTES)).executable;
  return path?.startsWith("/") === true ? path : undefined;
}

function sentenceOf(path: string, verdict: BuildVerdict): string {
  if (verdict.kind === "same") return `${path} is the build that crashed (${verdict.buildId})`;
  if (verdict.kind === "different")
    return `${path} is another build than the one that crashed, and is not loaded (build id ${verdict.here}, not ${verdict.crashed})`;
  return `${path} is loaded, but may be another build: the ${verdict.missing} has no build id`;
}

function say(sentence: string): void {
  process.stderr.write(`core-dump-handler: ${oneLine(sentence)}\n`);
}

/**
 * Without gdb's auto-load (which is .gdbinit of the working directory, scripts beside or in objects, libthread_db), and
 * lldb's like. What the user adds comes later and can turn it on again.
 */
const NO_SCRIPTS: Record<Debugger, readonly string[]> = {
  gdb: ["-iex", "set auto-load off"],
  // A setting comes too late for the working directory's .lldbinit where the user's own allows it (lldb 14).
  lldb: [
    "--no-lldbinit",
    "--one-line-before-file",
    "settings set target.load-script-from-symbol-file false",
  ],
};

/** Returns the debugger's command line. */
export function commandOf(
  { name, path }: { name: Debugger; path: string },
  program: string | undefined,
  core: string,
  extraArgs: readonly string[],
): string[] {
  const coreArgs = name === "gdb" ? [`--core=${core}`] : ["--core", core];
  const programArgs = program === undefined ? [] : name === "gdb" ? [program] : ["--file", program];
  return [path, ...NO_SCRIPTS[name], ...extraArgs, ...coreArgs, ...programArgs];
}
