// The debuggers that `debug` knows, and their command lines: on a core, with the modules that were laid out, and without
// any script that lies about.
import { AppError } from "../model/app-error.ts";
import type { Layout } from "./modules/sysroot.ts";

/** The debuggers, the first one preferred. */
export const DEBUGGERS = ["gdb", "lldb"] as const;
/** One of DEBUGGERS. */
export type DebuggerName = (typeof DEBUGGERS)[number];

/** A debugger of this machine. */
export interface Debugger {
  name: DebuggerName;
  path: string;
}

/** Finds the wanted debugger, or the first that is here. Throws AppError "usage" where there is none. */
export function findDebugger(wanted: DebuggerName | undefined): Debugger {
  const names = wanted === undefined ? DEBUGGERS : [wanted];
  for (const name of names) {
    const path = Bun.which(name);
    if (path !== null) return { name, path };
  }
  throw new AppError("usage", `there is no ${names.join(" or ")} here`, {
    hint: "install one, or extract the core and take it to a machine that has one",
  });
}

/** What the debugger gets. */
export interface Session {
  core: string;
  program: string | undefined;
  /** Undefined where the core's modules are not known: the debugger looks for files by itself then. */
  layout: Layout | undefined;
  /** Where the person's own sysroot has more debug information. */
  ownDebug: string | undefined;
  /** Whether the debugger may ask the servers of DEBUGINFOD_URLS. */
  asksServers: boolean;
}

/**
 * Without gdb's auto-load (which is .gdbinit of the working directory, scripts beside or in objects, libthread_db), and
 * lldb's like. What the user adds comes later and can turn it on again.
 */
const NO_SCRIPTS: Record<DebuggerName, readonly string[]> = {
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
  { name, path }: Debugger,
  session: Session,
  extraArgs: readonly string[],
): string[] {
  const { core, program } = session;
  const settings = name === "gdb" ? gdbSettings(session) : lldbSettings(session);
  const option = name === "gdb" ? "-iex" : "--one-line-before-file";
  const coreArgs = name === "gdb" ? [`--core=${core}`] : ["--core", core];
  const programArgs = program === undefined ? [] : name === "gdb" ? [program] : ["--file", program];
  return [
    path,
    ...NO_SCRIPTS[name],
    ...settings.flatMap((setting) => [option, setting]),
    ...extraArgs,
    ...coreArgs,
    ...programArgs,
  ];
}

function gdbSettings({ layout, ownDebug, asksServers }: Session): string[] {
  // Otherwise gdb asks the person each time, and in a batch takes no for an answer.
  const servers = asksServers ? ["set debuginfod enabled on"] : [];
  if (layout === undefined) return servers;
  const debug = [layout.debug, ownDebug, "/usr/lib/debug"].filter((folder) => folder !== undefined);
  return [
    ...servers,
    `set sysroot ${layout.sysroot}`,
    `set solib-search-path ${layout.libraries}`,
    `set debug-file-directory ${debug.join(":")}`,
  ];
}

function lldbSettings({ layout, ownDebug }: Session): string[] {
  if (layout === undefined) return [];
  const debug = [layout.debug, ownDebug].filter((folder) => folder !== undefined);
  return [
    `platform select --sysroot ${quoted(layout.sysroot)} remote-linux`,
    `settings set target.exec-search-paths ${quoted(layout.libraries)}`,
    ...debug.map((folder) => `settings append target.debug-file-search-paths ${quoted(folder)}`),
  ];
}

function quoted(path: string): string {
  return `"${path.replaceAll(/["\\]/g, "\\$&")}"`;
}
