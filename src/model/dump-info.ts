// T-dump-info.json: what is known of one dump. The first nine keys are the contract's (section 6), all
// strings; the others follow. The record must fit the space kept for it at the head of the zip.
import { printableJson } from "./printable.ts";

export type TruncatedBy = "eof" | "timeout" | "size_limit" | "no_space" | "killed";

/** How the container was found; core_file: the core lay in it. */
export type Identity = "cgroup" | "core_file" | "host_process" | "unknown";

export interface Missing {
  what: string;
  why: string;
}

export interface DumpInfo {
  uuid: string;
  /** The core's entry in the zip. */
  dump_file: string;
  timestamp: string;
  hostname: string;
  exe: string;
  real_pid: string;
  signal: string;
  node_hostname: string;
  path: string;

  version: string;
  signal_name: string | null;
  limit_size: string;
  /** "elf", or "unknown" for input that is no ELF core. */
  core_format: "elf" | "unknown";
  core_bytes: number;
  /** From the program headers; null where they could not be read. */
  core_expected_bytes: number | null;
  /** null where it cannot be decided (no ELF). */
  core_complete: boolean | null;
  truncated_by: TruncatedBy | null;

  identity: Identity;
  namespace: string | null;
  podname: string | null;
  pod_uid: string | null;
  container_name: string | null;
  container_id: string | null;
  /** Which N of the numbered entries belongs to the container that crashed. */
  container_index: number | null;
  image: string | null;
  /** The one pod of the crash's host name, where nothing better is known. Anybody may choose a host name. */
  guessed_namespace: string | null;
  guessed_podname: string | null;
  guessed_pod_uid: string | null;
  restart_count: number | null;
  host_pid: number | null;
  host_tid: number | null;
  uid: number | null;
  gid: number | null;
  dumpable: number | null;
  exe_path: string | null;
  cgroup: string | null;

  /** Optional pieces that could not be had, and why. */
  missing: Missing[];
  /** Wrong settings in `.env` that were replaced by their defaults. */
  settings_ignored: string[];
}

/** How long each text and list may be, for a record that is still too long the next, shorter ones. */
const CUTS = [
  { characters: 1024, items: 32 },
  { characters: 256, items: 32 },
  { characters: 256, items: 8 },
  { characters: 96, items: 8 },
  { characters: 96, items: 0 },
  { characters: 64, items: 0 },
] as const;

/**
 * The record as JSON of at most maxBytes bytes (16 KiB always suffice): what is too long is cut, and says
 * so. Nothing in it harms a terminal (printable.ts).
 */
export function formatDumpInfo(info: DumpInfo, maxBytes: number): Uint8Array {
  const records = CUTS.values().map(({ characters, items }) =>
    encode(cutRecord(info, characters, items)),
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
