// The commands that read dumps, in the manner of coredumpctl.
import { AppError } from "../model/app-error.ts";
import { readListOptions } from "./list-options.ts";
import { CORE_SIGNALS } from "../model/signal-name.ts";
import { defineCommand, USUAL_EXIT } from "./command.ts";

const OUTPUT = { type: "string", short: "o", value: "FILE" } as const;
const STORE = { type: "boolean", about: "in the store alone" } as const;
const FORCE = { type: "boolean", short: "f", about: "over an existing file" } as const;

const SYSROOT = {
  type: "string",
  value: "DIR",
  about: "programs and libraries by their paths below DIR",
} as const;
const MODULES = {
  type: "string",
  value: "DIR",
  about: "programs and libraries by name or build id in DIR",
} as const;

/** The rows of these commands. */
export const DUMP_COMMANDS = {
  list: defineCommand({
    group: "dumps",
    usage: "list [FOLDER | --store] [--by bug] [--since TIME] [--last N] [--output FORMAT] …",
    about: "the dumps in CORE_DIR, a folder or the store",
    text: "Time, pod, executable, signal, size, whether the core is whole, why it crashed, and the file. A narrow\nterminal shows less, and of a file's name as much as tells it apart: every command takes that for FILE.",
    exit: USUAL_EXIT,
    options: {
      store: { type: "boolean", about: "in the store instead" },
      by: {
        type: "string",
        value: "bug",
        words: ["bug"],
        about: "one line a bug: how often, since when, where",
      },
      since: {
        type: "string",
        short: "S",
        value: "TIME",
        about: "crashes from 90s, 1h30m, 7d, today, yesterday or 2026-11-22 on",
      },
      until: { type: "string", short: "U", value: "TIME", about: "crashes before then" },
      last: { type: "string", short: "n", value: "N", about: "the newest N" },
      reverse: { type: "boolean", short: "r", about: "the newest first" },
      namespace: { type: "string", value: "NS", about: "only this namespace's" },
      pod: { type: "string", value: "POD", about: "only this pod's" },
      container: { type: "string", value: "NAME", about: "only this container's" },
      exe: { type: "string", value: "NAME", about: "only this executable's" },
      signal: {
        type: "string",
        value: "SIGNAL",
        words: CORE_SIGNALS,
        about: "SIGSEGV, segv or its number",
      },
      prefix: { type: "string", value: "KEY", about: "only keys that begin so" },
      output: {
        type: "string",
        short: "o",
        value: "FORMAT",
        words: ["wide", "json", "name"],
        about: "wide, json, or name",
      },
      json: { type: "boolean", about: "the same as --output json" },
      "no-headers": { type: "boolean", about: "without the first line" },
    },
    operands: { most: 1 },
    prepare: ({ operands: [folder], options, loadInstalled }) => {
      const request = readListOptions(folder, options, Date.now());
      return async () => {
        const { runList } = await import("../reading/run-reading.ts");
        return runList(request, await loadInstalled());
      };
    },
  }),
  index: defineCommand({
    group: "dumps",
    usage: "index rebuild",
    about: "make the index entries that the store's dumps lack",
    text: "For dumps that were delivered without STORE_INDEX. Reads the head of each and writes an empty object for\nit; can be stopped and run again. What is no entry in the index's place is left alone and counted.",
    exit: USUAL_EXIT,
    options: {},
    operands: { most: 1, needs: ["the word rebuild"] },
    prepare: ({ operands: [action = ""], loadInstalled }) => {
      if (action !== "rebuild")
        throw new AppError("usage", `index knows rebuild, not ${JSON.stringify(action)}`);
      return async () => {
        const { runIndexRebuild } = await import("../reading/run-reading.ts");
        return runIndexRebuild(await loadInstalled());
      };
    },
  }),
  info: defineCommand({
    group: "dumps",
    usage: "info FILE [--store] [--json]",
    about: "who crashed, is the core whole, what is inside",
    text: "Tells how to go on, too. docs/reading-dumps.md has the words that name a dump.",
    exit: USUAL_EXIT,
    options: {
      store: STORE,
      json: { type: "boolean", about: "dump-info and the entries as JSON" },
    },
    operands: { most: 1, needs: ["a file"], are: "dumps" },
    prepare:
      ({ operands: [word = ""], options: { store = false, json = false }, loadInstalled }) =>
      async () => {
        const { runInfo } = await import("../reading/run-reading.ts");
        return runInfo({ word, store, loadEnvironment: loadInstalled }, json);
      },
  }),
  explain: defineCommand({
    group: "dumps",
    usage: "explain FILE [--sysroot DIR] [--modules DIR] [--update] [--store] [--json]",
    about: "why it crashed: cause, stack, fingerprint",
    text: "FILE is a dump or any ELF core of x86-64 or aarch64. No debugger is needed. Programs and libraries are\nread where the process had them, unless DIR is given; those of another build are not believed.\ndocs/reading-dumps.md tells what the lines mean.",
    exit: USUAL_EXIT,
    options: {
      sysroot: SYSROOT,
      modules: MODULES,
      update: {
        type: "boolean",
        about:
          "anew, with the store's and DEBUGINFOD_URLS' modules, into T-summary.json beside T.zip",
      },
      store: STORE,
      json: { type: "boolean", about: "the whole summary as JSON" },
    },
    operands: { most: 1, needs: ["a file"], are: "dumps" },
    prepare:
      ({ operands: [word = ""], options, loadInstalled }) =>
      async () => {
        const { sysroot, modules, store = false, json = false, update = false } = options;
        const { runExplain } = await import("../reading/run-reading.ts");
        const request = { word, store, loadEnvironment: loadInstalled };
        return runExplain(request, { sysroot, modules, json, update });
      },
  }),
  serve: defineCommand({
    group: "dumps",
    usage: "serve [FOLDER] [--port N] [--namespaces NS,NS] [--cache FILE]",
    about: "a page over all crashes, on this machine's loopback",
    text: "Shows the store's bugs, the crashes of each, and each crash's report, at http://127.0.0.1:N/. Reads the\nstore only; what it remembers can be deleted at any time. Where FOLDER is given, that is shown instead.",
    exit: USUAL_EXIT,
    options: {
      port: { type: "string", value: "N", about: "8642 by default; 0 takes a free one" },
      namespaces: { type: "string", value: "NS,NS", about: "shows only these namespaces' crashes" },
      cache: { type: "string", value: "FILE", about: "keeps what was read for the next start" },
    },
    operands: { most: 1 },
    prepare: ({ operands: [folder], options, loadInstalled }) => {
      const { port = "8642", namespaces = "", cache } = options;
      if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
        throw new AppError("usage", `--port ${JSON.stringify(port)} is no port from 0 to 65535`);
      const wanted = namespaces.split(",").map((name) => name.trim());
      const request = {
        folder,
        port: Number(port),
        namespaces: wanted.filter((name) => name !== ""),
        cacheFile: cache,
      };
      return async () => {
        const { runServe } = await import("../reading/run-reading.ts");
        return runServe(request, await loadInstalled());
      };
    },
  }),
  extract: defineCommand({
    group: "dumps",
    usage: "extract FILE [ENTRY] [--output FILE] [--force] [--store]",
    about: "the core, or another entry, into a file",
    text: "Streams; zeros take no room in the file.",
    exit: USUAL_EXIT,
    options: { output: { ...OUTPUT, about: "where to; - is stdout" }, force: FORCE, store: STORE },
    operands: { most: 2, needs: ["a file"], are: "dumps" },
    prepare:
      ({ operands: [word = "", entry], options, loadInstalled }) =>
      async () => {
        const { output, store = false, force = false } = options;
        const { runExtract } = await import("../reading/run-reading.ts");
        const request = { word, store, loadEnvironment: loadInstalled };
        return runExtract(request, { entry, output, force });
      },
  }),
  fetch: defineCommand({
    group: "dumps",
    usage: "fetch KEY [--output FILE] [--force]",
    about: "a dump out of the store, resumable, verified",
    text: "What was interrupted goes on where it was.",
    exit: USUAL_EXIT,
    options: { output: { ...OUTPUT, about: "where to; - is stdout" }, force: FORCE },
    operands: { most: 1, needs: ["a key"], are: "keys" },
    prepare:
      ({ operands: [word = ""], options: { output, force = false }, loadInstalled }) =>
      async () => {
        const { runFetch } = await import("../reading/run-reading.ts");
        return runFetch({ word, loadEnvironment: loadInstalled }, { output, force });
      },
  }),
  debug: defineCommand({
    group: "dumps",
    usage: "debug FILE [--store] [--namespace NS] [--bug ID] [--with gdb|lldb] [-- ARG…] …",
    about: "gdb or lldb, with the very files that were mapped",
    text: "With --namespace or --bug, FILE is the store's newest of them. The files come from this machine, DIR,\na cache, the store (COMP_MODULES, `modules add`) or DEBUGINFOD_URLS, and are compared with what the core\nsays; another build is not loaded. Extracts into a temporary folder first. ARGs are the debugger's.",
    exit: { ...USUAL_EXIT, 0: "the debugger's own code where it ran" },
    options: {
      store: STORE,
      namespace: {
        type: "string",
        value: "NS",
        about: "the store's newest of this namespace",
      },
      bug: { type: "string", value: "ID", about: "the store's newest of this bug" },
      with: {
        type: "string",
        value: "NAME",
        words: ["gdb", "lldb"],
        about: "gdb or lldb; otherwise the first that is here",
      },
      sysroot: SYSROOT,
      print: { type: "boolean", about: "the command instead, and a folder with its files" },
    },
    operands: { most: Number.POSITIVE_INFINITY, are: "dumps" },
    prepare: ({ operands, options, loadInstalled }) => {
      const { with: name, sysroot, print = false, namespace = "", bug = "" } = options;
      const isNewest = namespace !== "" || bug !== "";
      const [file, ...rest] = operands;
      const args = isNewest ? operands : rest;
      if (!isNewest && file === undefined)
        throw new AppError("usage", "debug needs a file, --namespace or --bug");
      const wanted = (["gdb", "lldb"] as const).find((known) => known === name);
      if (name !== undefined && wanted === undefined)
        throw new AppError("usage", `debug knows gdb and lldb, not ${JSON.stringify(name)}`);
      return async () => {
        const { runDebug } = await import("../reading/run-reading.ts");
        const request = isNewest
          ? {
              word: "latest",
              store: true,
              only: { namespace, bug },
              loadEnvironment: loadInstalled,
            }
          : { word: file ?? "", store: options.store === true, loadEnvironment: loadInstalled };
        const environment = await loadInstalled();
        return runDebug(request, { debugger: wanted, sysroot, print, args, environment });
      };
    },
  }),
  modules: defineCommand({
    group: "dumps",
    usage: "modules FILE [--output DIR] [--json]  |  add PATH…  |  unused",
    about: "what was mapped, and the store's modules",
    text: "modules FILE lists the programs and libraries that the crashed process had mapped, and where they are;\n--output copies them into a new folder. modules add stores what a build pipeline ships: programs, libraries\nand split debug information, by build-id; folders are gone through. modules unused lists the store's modules\nthat no dump of the last STORE_MODULE_DAYS names; remove them by the store's own means.",
    exit: { ...USUAL_EXIT, 1: "could not; with add: at least one file was not stored" },
    options: {
      output: { ...OUTPUT, value: "DIR", about: "copies of the files, in a new folder" },
      json: { type: "boolean", about: "as JSON" },
    },
    operands: { most: Number.POSITIVE_INFINITY, needs: ["a file, add or unused"], are: "dumps" },
    prepare: ({ operands: [first = "", ...paths], options, loadInstalled }) => {
      const { output, json = false } = options;
      if (first === "add" && paths.length === 0)
        throw new AppError("usage", "modules add needs the paths of files or folders");
      if (first !== "add" && paths.length > 0)
        throw new AppError("usage", `modules does not take ${JSON.stringify(paths[0])}`);
      return async () => {
        if (first === "add") {
          const { runAddModules } = await import("../agent/run.ts");
          return runAddModules(paths, await loadInstalled());
        }
        const { runModules, runUnusedModules } = await import("../reading/run-reading.ts");
        if (first === "unused") return runUnusedModules(json, await loadInstalled());
        const request = { word: first, store: false, loadEnvironment: loadInstalled };
        return runModules(request, { output, json });
      };
    },
  }),
};
