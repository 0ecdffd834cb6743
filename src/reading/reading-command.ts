// The words of the commands that read dumps: which there are, what each takes. Nothing is done here.
import { AppError } from "../model/app-error.ts";

export type ReadingCommand =
  | {
      name: "list";
      folder: string | undefined;
      store: boolean;
      prefix: string;
      sinceMs: number;
      namespace: string;
      json: boolean;
    }
  | { name: "info"; file: string; json: boolean }
  | {
      name: "explain";
      file: string;
      sysroot: string | undefined;
      modules: string | undefined;
      json: boolean;
    }
  | {
      name: "extract";
      file: string;
      entry: string | undefined;
      output: string | undefined;
      force: boolean;
    }
  | { name: "fetch"; key: string; output: string | undefined; force: boolean }
  | { name: "debug"; file: string; debuggerArgs: string[] };

export const READING_OPTIONS = {
  store: { type: "boolean" },
  prefix: { type: "string" },
  since: { type: "string" },
  namespace: { type: "string", short: "n" },
  json: { type: "boolean" },
  sysroot: { type: "string" },
  modules: { type: "string" },
  output: { type: "string", short: "o" },
  force: { type: "boolean", short: "f" },
} as const;

export type ReadingValues = {
  [K in keyof typeof READING_OPTIONS]?:
    ((typeof READING_OPTIONS)[K]["type"] extends "boolean" ? boolean : string) | undefined;
};

/** Which options and how many operands each command takes. */
export const READING_COMMANDS = {
  list: { options: ["store", "prefix", "since", "namespace", "json"], least: 0, most: 1 },
  info: { options: ["json"], least: 1, most: 1 },
  explain: { options: ["sysroot", "modules", "json"], least: 1, most: 1 },
  extract: { options: ["output", "force"], least: 1, most: 2 },
  fetch: { options: ["output", "force"], least: 1, most: 1 },
  debug: { options: [], least: 1, most: Number.POSITIVE_INFINITY },
} as const satisfies Record<
  ReadingCommand["name"],
  { options: readonly (keyof typeof READING_OPTIONS)[]; least: number; most: number }
>;

const SEE_HELP = { hint: "core-dump-handler --help lists the commands" };

/** undefined where the name is no reading command. Throws AppError "usage". */
export function parseReadingCommand(
  name: string,
  operands: readonly string[],
  values: ReadingValues,
  nowMs: number,
): ReadingCommand | undefined {
  if (!isReadingName(name)) return undefined;
  checkWords(name, operands, values);
  const [first = "", second, ...others] = operands;
  const { json = false, force = false, output } = values;
  switch (name) {
    case "list": {
      const { store = false, prefix = "", namespace = "", since } = values;
      const sinceMs = since === undefined ? 0 : parseSince(since, nowMs);
      const folder = operands[0];
      if (store && folder !== undefined)
        throw new AppError("usage", "list takes a folder or --store, not both", SEE_HELP);
      return { name, folder, store, prefix, sinceMs, namespace, json };
    }
    case "info":
      return { name, file: first, json };
    case "explain":
      return { name, file: first, sysroot: values.sysroot, modules: values.modules, json };
    case "extract":
      return { name, file: first, entry: second, output, force };
    case "fetch":
      return { name, key: first, output, force };
    case "debug":
      return { name, file: first, debuggerArgs: second === undefined ? [] : [second, ...others] };
  }
}

function isReadingName(name: string): name is ReadingCommand["name"] {
  return Object.hasOwn(READING_COMMANDS, name);
}

function checkWords(
  name: ReadingCommand["name"],
  operands: readonly string[],
  values: ReadingValues,
): void {
  const { options, least, most } = READING_COMMANDS[name];
  const allowed: readonly string[] = options;
  for (const [option, value] of Object.entries(values))
    if (value !== undefined && !allowed.includes(option))
      throw new AppError("usage", `${name} has no option --${option}`, SEE_HELP);
  if (operands.length < least)
    throw new AppError("usage", `${name} needs ${name === "fetch" ? "a key" : "a file"}`, SEE_HELP);
  const extra = operands[most];
  if (extra !== undefined)
    throw new AppError("usage", `${name} does not take ${JSON.stringify(extra)}`, SEE_HELP);
}

const AGO_UNITS: Readonly<Record<string, number>> = {
  m: 60e3,
  h: 3600e3,
  d: 86_400e3,
  w: 604_800e3,
};

/** `90m`, `24h`, `7d`, `2w` before now, or a date (`2026-11-22`, `2026-11-22T10:00:00Z`), in ms since the epoch. */
function parseSince(text: string, nowMs: number): number {
  const ago = /^(\d{1,6})([mhdw])$/.exec(text);
  if (ago !== null) return nowMs - Number(ago[1]) * (AGO_UNITS[ago[2] ?? ""] ?? 0);
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new AppError("usage", `--since ${JSON.stringify(text)} is no time`, {
      hint: "write 24h, 7d, 2026-11-22 or 2026-11-22T10:00:00Z",
    });
  return at;
}
