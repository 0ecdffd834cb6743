// `debug`: the core into a temporary folder, and a debugger on it with the program's own executable where
// this machine has it. The environment (DEBUGINFOD_URLS and all) goes on to the debugger.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../model/app-error.ts";
import { exists } from "../../host/files.ts";
import { findEntry, type DumpZip } from "./dump-zip.ts";
import { extractToFile } from "./extract.ts";
import { readInfo } from "./info.ts";

const DEBUGGERS = ["gdb", "lldb"] as const;
type Debugger = (typeof DEBUGGERS)[number];

/** The debugger's exit code. Throws AppError "usage" where none is installed. */
export async function debugDump(zip: DumpZip, extraArgs: readonly string[]): Promise<number> {
  const found = findDebugger();
  const folder = await mkdtemp(join(tmpdir(), "core-dump-handler-"));
  try {
    const core = join(folder, "core");
    await extractToFile(zip, findEntry(zip, "core"), core, false);
    const program = await programOf(zip);
    const command = commandOf(found, program, core, extraArgs);
    const child = Bun.spawn(command, { stdio: ["inherit", "inherit", "inherit"] });
    // Ctrl-C is the debugger's: it interrupts what runs in it, not us.
    const ignore = () => undefined;
    process.on("SIGINT", ignore);
    const code = await child.exited;
    process.off("SIGINT", ignore);
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

/** The crashed program's executable, if a file of that path is here. */
async function programOf(zip: DumpZip): Promise<string | undefined> {
  const { exe_path: path } = await readInfo(zip);
  return typeof path === "string" && path.startsWith("/") && (await exists(path))
    ? path
    : undefined;
}

function commandOf(
  { name, path }: { name: Debugger; path: string },
  program: string | undefined,
  core: string,
  extraArgs: readonly string[],
): string[] {
  const coreArgs = name === "gdb" ? [`--core=${core}`] : ["--core", core];
  const programArgs = program === undefined ? [] : name === "gdb" ? [program] : ["--file", program];
  return [path, ...extraArgs, ...coreArgs, ...programArgs];
}
