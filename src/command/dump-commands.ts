// The commands that read dumps, in the manner of coredumpctl.
import { AppError } from "../model/app-error.ts";
import { readListOptions } from "./list-options.ts";
import { defineCommand, USUAL_EXIT } from "./command.ts";

const OUTPUT = { type: "string", short: "o", value: "FILE" } as const;
const FORCE = { type: "boolean", short: "f", about: "over an existing file" } as const;

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
      by: { type: "string", value: "bug", about: "one line a bug: how often, since when, where" },
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
      signal: { type: "string", value: "SIGNAL", about: "SIGSEGV, segv or its number" },
      prefix: { type: "string", value: "KEY", about: "only keys that begin so" },
      output: { type: "string", short: "o", value: "FORMAT", about: "wide, json, or name" },
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
    prepare: ({ operands: [action = ""], loadEnvironment }) => {
      if (action !== "rebuild")
        throw new AppError("usage", `index knows rebuild, not ${JSON.stringify(action)}`);
      return async () => {
        const { runIndexRebuild } = await import("../reading/run-reading.ts");
        return runIndexRebuild(await loadEnvironment());
      };
    },
  }),
  info: defineCommand({
    group: "dumps",
    usage: "info FILE [--json]",
    about: "who crashed, is the core whole, what is inside",
    text: "Tells how to go on, too.",
    exit: USUAL_EXIT,
    options: { json: { type: "boolean", about: "dump-info and the entries as JSON" } },
    operands: { most: 1, needs: ["a file"] },
    prepare:
      ({ operands: [file = ""], options: { json = false } }) =>
      async () => {
        const { runInfo } = await import("../reading/run-reading.ts");
        return runInfo(file, json);
      },
  }),
  explain: defineCommand({
    group: "dumps",
    usage: "explain FILE [--sysroot DIR] [--modules DIR] [--json]",
    about: "why it crashed: cause, stack, fingerprint",
    text: "FILE is a dump or any ELF core of x86-64 or aarch64. No debugger is needed. Programs and libraries are\nread where the process had them, unless DIR is given; those of another build are not believed.\ndocs/reading-dumps.md tells what the lines mean.",
    exit: USUAL_EXIT,
    options: {
      sysroot: {
        type: "string",
        value: "DIR",
        about: "programs and libraries by their paths below DIR",
      },
      modules: {
        type: "string",
        value: "DIR",
        about: "programs and libraries by name or build id in DIR",
      },
      json: { type: "boolean", about: "the whole summary as JSON" },
    },
    operands: { most: 1, needs: ["a file"] },
    prepare:
      ({ operands: [file = ""], options: { sysroot, modules, json = false } }) =>
      async () => {
        const { runExplain } = await import("../reading/run-reading.ts");
        return runExplain(file, { sysroot, modules, json });
      },
  }),
  extract: defineCommand({
    group: "dumps",
    usage: "extract FILE [ENTRY] [--output FILE] [--force]",
    about: "the core, or another entry, into a file",
    text: "Streams; zeros take no room in the file.",
    exit: USUAL_EXIT,
    options: { output: { ...OUTPUT, about: "where to; - is stdout" }, force: FORCE },
    operands: { most: 2, needs: ["a file"] },
    prepare:
      ({ operands: [file = "", entry], options: { output, force = false } }) =>
      async () => {
        const { runExtract } = await import("../reading/run-reading.ts");
        return runExtract(file, { entry, output, force });
      },
  }),
  fetch: defineCommand({
    group: "dumps",
    usage: "fetch KEY [--output FILE] [--force]",
    about: "a dump out of the store, resumable, verified",
    text: "What was interrupted goes on where it was.",
    exit: USUAL_EXIT,
    options: { output: { ...OUTPUT, about: "where to" }, force: FORCE },
    operands: { most: 1, needs: ["a key"] },
    prepare:
      ({ operands: [key = ""], options: { output, force = false }, loadInstalled }) =>
      async () => {
        const { runFetch } = await import("../reading/run-reading.ts");
        return runFetch({ key, output, force }, await loadInstalled());
      },
  }),
  debug: defineCommand({
    group: "dumps",
    usage: "debug FILE [-- ARG…]",
    about: "gdb or lldb on the core",
    text: "Extracts into a temporary folder first. ARGs are the debugger's.",
    exit: { ...USUAL_EXIT, 0: "the debugger's own code where it ran" },
    options: {},
    operands: { most: Number.POSITIVE_INFINITY, needs: ["a file"] },
    prepare:
      ({ operands: [file = "", ...debuggerArgs] }) =>
      async () => {
        const { runDebug } = await import("../reading/run-reading.ts");
        return runDebug(file, debuggerArgs);
      },
  }),
};
