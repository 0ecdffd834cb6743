// T-dump-info.json: what is known of one dump. The first nine keys are those of docs/contract.md, section 6, all of
// them strings; the others follow. The record must fit the space kept for it at the head of the zip.
import * as v from "valibot";
import { DUMP_PRIORITIES } from "./dump-priority.ts";
import { printableJson } from "./printable.ts";
import { VERSION } from "./version.ts";

/** Reads a number as a text, because older dumps have numbers in some of these keys. */
const words = v.pipe(v.union([v.string(), v.number()]), v.transform(String));
const textOrNull = v.nullable(words);
const numberOrNull = v.nullable(v.number());
const missingPiece = v.object({ what: words, why: words });

/** A piece that the composer could not get, and why. */
export type Missing = v.InferOutput<typeof missingPiece>;

/** Why the core in a zip is cut or left out (docs/troubleshooting.md). */
export const TRUNCATIONS = [
  "eof",
  "timeout",
  "size_limit",
  "no_space",
  "killed",
  "known_bug",
] as const;

/** Every key with its type, in the file's order. */
const KEYS = {
  uuid: words,
  /** The core's entry in the zip. */
  dump_file: words,
  /** Seconds since the epoch. */
  timestamp: words,
  hostname: words,
  exe: words,
  real_pid: words,
  signal: words,
  node_hostname: words,
  path: words,

  version: words,
  signal_name: textOrNull,
  limit_size: words,
  /** "stacks": the core has only stacks, registers and what belongs to them, and is whole as such. */
  core_content: v.picklist(["full", "stacks"]),
  /** How much shorter the core is than the kernel's would be, by intent. */
  core_omitted_bytes: v.number(),
  /** "elf", or "unknown" for input that is no ELF core. */
  core_format: v.picklist(["elf", "unknown"]),
  core_bytes: v.number(),
  /** From the program headers; null where they could not be read. */
  core_expected_bytes: numberOrNull,
  /** null where the composer cannot decide it, because the input is no ELF core. */
  core_complete: v.nullable(v.boolean()),
  truncated_by: v.nullable(v.picklist(TRUNCATIONS)),

  /** How the container was found; core_file: the core lay in it. */
  identity: v.picklist(["cgroup", "core_file", "host_process", "unknown"]),
  namespace: textOrNull,
  podname: textOrNull,
  pod_uid: textOrNull,
  container_name: textOrNull,
  container_id: textOrNull,
  /** Which N of the numbered entries belongs to the container that crashed. */
  container_index: numberOrNull,
  image: textOrNull,
  /** The only pod that has the crash's host name, where nothing better is known. Any pod may choose its host name. */
  guessed_namespace: textOrNull,
  guessed_podname: textOrNull,
  guessed_pod_uid: textOrNull,
  restart_count: numberOrNull,
  host_pid: numberOrNull,
  host_tid: numberOrNull,
  uid: numberOrNull,
  gid: numberOrNull,
  dumpable: numberOrNull,
  exe_path: textOrNull,
  cgroup: textOrNull,
  /** What the pod's annotation asks for, where pods have a say. */
  priority: v.nullable(v.picklist(DUMP_PRIORITIES)),

  /** What the summary begins with, and the innermost function with a name; null without a summary. */
  title: textOrNull,
  crash_function: textOrNull,
  /** Which bug it is, over builds and architectures, and by build and offset (crash-summary.ts). */
  bug: textOrNull,
  exact: textOrNull,

  /** The ids of the mapped programs and libraries (module-id.ts), as many as fit; T-modules.json has all. */
  modules: v.array(words),
  /** How many there are; null where they are not known. */
  module_count: numberOrNull,

  /** Optional pieces that the composer could not get, and why. */
  missing: v.array(missingPiece),
  /** Wrong settings in `.env` that were replaced by their defaults. */
  settings_ignored: v.array(words),
};

/** A complete record, as the composer writes it. */
export type DumpInfo = { -readonly [Key in keyof typeof KEYS]: v.InferOutput<(typeof KEYS)[Key]> };

/** The dump-info of a dump of which nothing is known. Its core counts as cut short until it is known to be whole. */
export const UNKNOWN_DUMP: DumpInfo = {
  uuid: "",
  dump_file: "",
  timestamp: "",
  hostname: "",
  exe: "",
  real_pid: "",
  signal: "",
  node_hostname: "",
  path: "",
  version: VERSION,
  signal_name: null,
  limit_size: "",
  core_content: "full",
  core_omitted_bytes: 0,
  core_format: "unknown",
  core_bytes: 0,
  core_expected_bytes: null,
  core_complete: false,
  truncated_by: "eof",
  identity: "unknown",
  namespace: null,
  podname: null,
  pod_uid: null,
  container_name: null,
  container_id: null,
  container_index: null,
  image: null,
  guessed_namespace: null,
  guessed_podname: null,
  guessed_pod_uid: null,
  restart_count: null,
  host_pid: null,
  host_tid: null,
  uid: null,
  gid: null,
  dumpable: null,
  exe_path: null,
  cgroup: null,
  priority: null,
  title: null,
  crash_function: null,
  bug: null,
  exact: null,
  modules: [],
  module_count: null,
  missing: [],
  settings_ignored: [],
};

/** Why the core in a zip is cut. */
export type TruncatedBy = NonNullable<DumpInfo["truncated_by"]>;
/** How the composer found the container. */
export type Identity = DumpInfo["identity"];

/**
 * What was read from a dump-info that another version, or anybody, may have written: known keys with values of the
 * right type.
 */
export type KnownInfo = Readonly<Partial<DumpInfo>>;

/** Returns the known keys of a parsed dump-info and leaves out values of another type. Never throws. */
export function asKnownInfo(parsed: unknown): KnownInfo {
  if (typeof parsed !== "object" || parsed === null) return {};
  const entries = Object.entries(KEYS).flatMap(([key, schema]) => {
    if (!Object.hasOwn(parsed, key)) return [];
    const result = v.safeParse(schema, (parsed as Record<string, unknown>)[key]);
    return result.success ? [[key, result.output] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** How long each text and list may be. The formatter takes the next, shorter pair while the record is too long. */
const CUTS = [
  { characters: 1024, items: 32, modules: 256 },
  { characters: 1024, items: 32, modules: 64 },
  { characters: 256, items: 32, modules: 64 },
  { characters: 256, items: 8, modules: 32 },
  { characters: 96, items: 8, modules: 8 },
  { characters: 96, items: 0, modules: 0 },
  { characters: 64, items: 0, modules: 0 },
] as const;

/**
 * Writes the record as JSON of at most maxBytes bytes (16 KiB always suffice). Cuts and marks texts that are too long.
 * Nothing in it harms a terminal (printable.ts).
 */
export function formatDumpInfo(info: DumpInfo, maxBytes: number): Uint8Array {
  const records = CUTS.values().map(({ characters, items, modules }) =>
    encode({ ...cutRecord(info, characters, items), modules: info.modules.slice(0, modules) }),
  );
  const fitting = records.find((record) => record.length <= maxBytes);
  if (fitting === undefined) throw new RangeError(`dump-info does not fit into ${maxBytes} bytes`);
  return fitting;
}

function encode(info: DumpInfo): Uint8Array {
  return new TextEncoder().encode(`${printableJson(info, 2)}\n`);
}

function cutRecord(info: DumpInfo, maxCharacters: number, maxItems: number): DumpInfo {
  const { missing, settings_ignored } = info;
  const lost = missing.length - maxItems;
  const more = { what: "more", why: `${lost} more, too many for dump-info` };
  const ignoredLost = settings_ignored.length - maxItems;
  return {
    ...cutTexts(info, maxCharacters),
    // The entry's name, which is short by its own rules.
    dump_file: info.dump_file,
    missing: [
      ...missing.slice(0, maxItems).map((item) => cutTexts(item, maxCharacters)),
      ...(lost > 0 ? [more] : []),
    ],
    settings_ignored: [
      ...settings_ignored.slice(0, maxItems).map((line) => cutText(line, maxCharacters)),
      ...(ignoredLost > 0 ? [`${ignoredLost} more, too many for dump-info`] : []),
    ],
  };
}

function cutTexts<T extends object>(record: T, maxCharacters: number): T {
  const entries = Object.entries(record).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === "string" ? cutText(value, maxCharacters) : value,
  ]);
  return Object.fromEntries(entries) as T;
}

function cutText(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters)}…`;
}
