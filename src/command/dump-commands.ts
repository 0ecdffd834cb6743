// The commands that read dumps, in the manner of coredumpctl.
import { AppError } from "../model/app-error.ts";
import { parseSince } from "../model/time-text.ts";
import { defineCommand, USUAL_EXIT } from "./command.ts";

const OUTPUT = { type: "string", short: "o", value: "FILE" } as const;
const FORCE = { type: "boolean", short: "f", about: "over an existing file" } as const;

/** The rows of these commands. */
export const DUMP_COMMANDS = {
  list: defineCommand({
    group: "dumps",
    usage:
      "list [FOLDER | --store] [--by bug] [--since TIME] [--namespace NS] [--prefix KEY] [--json]",
    about: "the dumps in CORE_DIR, a folder or the store",
    text: "Time, namespace/pod/container, executable, signal, size, whether the core is whole, and why it crashed.",
    exit: USUAL_EXIT,
    options: {
      store: { type: "boolean", about: "in the store instead" },
      by: { type: "string", value: "bug", about: "one line a bug: how often, since when, where" },
      prefix: { type: "string", value: "KEY", about: "only keys that begin so" },
      since: {
        type: "string",
        value: "TIME",
        about: "24h, 7d, 2026-11-22 or 2026-11-22T10:00:00Z",
      },
      namespace: { type: "string", short: "n", value: "NS", about: "only this namespace's" },
      json: { type: "boolean", about: "one JSON array" },
    },
    operands: { most: 1 },
    prepare: ({ operands: [folder], options, loadInstalled }) => {
      const { store = false, by, since, prefix = "", namespace = "", json = false } = options;
      if (by !== undefined && by !== "bug")
        throw new AppError("usage", `list --by is ${JSON.stringify(by)}; expected bug`);
      if (store && folder !== undefined)
        throw new AppError("usage", "list takes a folder or --store, not both");
      const sinceMs = since === undefined ? 0 : parseSince(since, Date.now());
      return async () => {
        const { runList } = await import("../reading/run-reading.ts");
        const wanted = { folder, store, byBug: by === "bug", prefix, sinceMs, namespace, json };
        return runList(wanted, await loadInstalled());
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
