// `debug`: extracts the core to a temporary folder, gathers the files that the crashed process had mapped, and starts a
// debugger on them. Nothing is loaded that is another build without a word about it. The debugger runs no script that it
// finds beside the program, in the core's libraries or in the working directory.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Malformed } from "../explain/malformed.ts";
import type { ProcessEnvironment } from "../host/process-environment.ts";
import { oneLine } from "../model/printable.ts";
import { shellWord } from "../model/shell-word.ts";
import { openCoreFile } from "./core-bytes.ts";
import { commandOf, findDebugger, type DebuggerName, type Session } from "./debugger.ts";
import { findCore, type DumpZip } from "./dump-zip.ts";
import { extractToFile } from "./extract.ts";
import { readInfo } from "./info.ts";
import { serveModules } from "./modules/debuginfod-server.ts";
import { gatherModules, readModuleList, type GatheredModules } from "./modules/module-gathering.ts";
import { idOf } from "./modules/wanted-modules.ts";
import { layOut, type Layout } from "./modules/sysroot.ts";

/** What a person asks for. */
export interface DebugRequest {
  debugger: DebuggerName | undefined;
  sysroot: string | undefined;
  /** Prints the commands, and leaves the folder for them. */
  print: boolean;
  /** The debugger's own arguments. */
  args: readonly string[];
  environment: ProcessEnvironment;
}

/** Runs the debugger and returns its exit code. Throws AppError "usage" where none is installed. */
export async function debugDump(zip: DumpZip, request: DebugRequest): Promise<number> {
  const found = findDebugger(request.debugger);
  const folder = await mkdtemp(join(tmpdir(), "core-dump-handler-"));
  let gathered: GatheredModules | undefined;
  try {
    const core = join(folder, "core");
    await extractToFile(zip, findCore(zip), core, false);
    gathered = await gather(zip, core, request, found.name);
    const layout =
      gathered === undefined
        ? undefined
        : await layOut(folder, gathered.files, gathered.debugFiles, {
            made: "links",
            hasStubs: found.name === "lldb",
          });
    const session = sessionOf(core, layout, request);
    if (request.print) {
      const command = commandOf(found, session, request.args);
      process.stdout.write(`${command.map(shellWord).join(" ")}\n`);
      say(`the command's files are in ${folder}, which is yours to remove`);
      return 0;
    }
    return await runSession(gathered, request.environment, (asksServers) =>
      commandOf(found, { ...session, asksServers }, request.args),
    );
  } finally {
    gathered?.close();
    if (!request.print) await rm(folder, { recursive: true, force: true });
  }
}

/** Gathers the modules, and says what is missing; undefined for a core of a kind that this program cannot read. */
async function gather(
  zip: DumpZip,
  corePath: string,
  { sysroot, environment }: DebugRequest,
  debuggerName: DebuggerName,
): Promise<GatheredModules | undefined> {
  const core = openCoreFile(corePath);
  try {
    const listed = await readModuleList(zip);
    const { exe_path: exePath } = await readInfo(zip);
    const asksServersForDebugInfo = debuggerName !== "gdb";
    const options = {
      sysroot,
      modules: undefined,
      environment,
      asksServersForDebugInfo,
      say,
      exePath,
    };
    const gathered = await gatherModules(core, listed, options);
    for (const { line } of gathered.files) if (line !== undefined) say(line);
    const missing = gathered.files.filter(({ path }) => path === undefined).length;
    const { length } = gathered.files;
    if (length > 1) say(`${length - missing} of ${length} mapped files are at hand`);
    return gathered;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    say(`the core's list of mapped files cannot be read (${error.message}): no program is loaded`);
    return undefined;
  } finally {
    core.close();
  }
}

function sessionOf(
  core: string,
  layout: Layout | undefined,
  { sysroot, environment }: DebugRequest,
): Session {
  return {
    core,
    program: layout?.program,
    layout,
    ownDebug: sysroot === undefined ? undefined : join(sysroot, "usr/lib/debug"),
    asksServers: (environment["DEBUGINFOD_URLS"] ?? "") !== "",
  };
}

/** Runs the debugger; a store answers it through a server of ours meanwhile. */
async function runSession(
  gathered: GatheredModules | undefined,
  environment: ProcessEnvironment,
  command: (asksServers: boolean) => string[],
): Promise<number> {
  const store = gathered?.store;
  // What is right of this dump's is laid out; the store's other files of these ids are not to be had by another way.
  const refused = new Set(gathered?.files.flatMap(({ wanted }) => idOf(wanted) ?? []));
  const server =
    store === undefined ? undefined : serveModules(store.reader, store.prefix, refused);
  try {
    const urls = [server?.url, environment["DEBUGINFOD_URLS"]].filter((url) => url !== undefined);
    const env = {
      ...environment,
      ...(urls.length === 0 ? {} : { DEBUGINFOD_URLS: urls.join(" ") }),
    };
    return await runDebugger(command(urls.join("") !== ""), env);
  } finally {
    await server?.stop();
  }
}

async function runDebugger(
  command: string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  const child = Bun.spawn(command, { stdio: ["inherit", "inherit", "inherit"], env });
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
}

function say(sentence: string): void {
  process.stderr.write(`core-dump-handler: ${oneLine(sentence)}\n`);
}
