// A crash as the name of an empty object, so that listing names is all that a reader has to do:
// PREFIX v1/DAY/BUG/TITLE~EXE~SIGNAL~NAMESPACE~IMAGE~/TIME~POD~CONTAINER~NODE~STATE~CORE~ZIP~KEY~
// What the crashes of a bug share stands in a folder of its own. A name longer than a file's goes on in a further folder.
import { withoutBlanks, type IndexedCrash } from "./indexed-crash.ts";
import { decodeField, encodeField } from "./index-field.ts";

/** The folder of this version's names, below STORE_INDEX_PREFIX. */
export const INDEX_VERSION = "v1/";
/** Where BUG stands for crashes whose bug nobody knows. */
export const UNKNOWN_BUG = "unknown";

const SEPARATOR = "~";
/** The strictest store takes 1,024 bytes (S3); the prefix of STORE_URL is a part of them. */
const KEY_MAX_BYTES = 900;
const [SHARED_FIELDS, OWN_FIELDS] = [5, 8];
/** "yes", "no", and not to be told. */
const STATES: ReadonlyMap<boolean | null, string> = new Map([
  [true, "y"],
  [false, "n"],
  [null, "u"],
]);

/** How many bytes each encoded text may have. A name that is too long takes the next, shorter row. */
const CUTS = [
  { title: 120, exe: 24, namespace: 63, image: 80, pod: 100, container: 63, node: 100 },
  { title: 90, exe: 24, namespace: 40, image: 40, pod: 60, container: 40, node: 60 },
  { title: 48, exe: 16, namespace: 24, image: 24, pod: 30, container: 16, node: 24 },
] as const;

/**
 * Writes the key of a crash. Where a dump's own key is too long to stand in it, the key is "", and a reader has to look
 * for the dump.
 */
export function formatIndexKey(prefix: string, crash: IndexedCrash): string {
  const keys = CUTS.values().map((cut) => keyWith(prefix, crash, cut));
  return keys.find(fits) ?? keyWith(prefix, { ...crash, key: "" }, CUTS[2]);
}

function fits(key: string): boolean {
  return key.length <= KEY_MAX_BYTES;
}

function keyWith(prefix: string, crash: IndexedCrash, cut: (typeof CUTS)[number]): string {
  const field = (text: string | null, maxBytes: number) => encodeField(text ?? "", maxBytes);
  const shared = [
    field(crash.title, cut.title),
    field(crash.exe, cut.exe),
    field(crash.signal, 12),
    field(crash.namespace, cut.namespace),
    field(crash.image === null ? null : shortImage(crash.image), cut.image),
    "",
  ];
  const own = [
    String(crash.timeSeconds),
    field(crash.pod, cut.pod),
    field(crash.container, cut.container),
    field(crash.node, cut.node),
    STATES.get(crash.coreComplete) ?? "u",
    crash.coreBytes === null ? "" : crash.coreBytes.toString(36),
    crash.zipBytes.toString(36),
    encodeField(crash.key),
    // No name may end as a dump's does.
    "",
  ];
  const bug = crash.bug ?? UNKNOWN_BUG;
  const names = [dayOf(crash.timeSeconds), bug, shared.join(SEPARATOR), own.join(SEPARATOR)];
  return `${prefix}${INDEX_VERSION}${names.map(inComponents).join("/")}`;
}

/** Returns the folder of a crash's day, "2026-11-25". */
export function dayOf(timeSeconds: number): string {
  return new Date(timeSeconds * 1000).toISOString().slice(0, 10);
}

/** Splits a name into components of at most 240 bytes; NAME_MAX is 255. */
function inComponents(name: string): string {
  // Windows takes a dot off a name's end.
  return name.match(/.{0,239}[^.]|.{1,240}/g)?.join("/") ?? "";
}

/** The image's own name, its tag and the beginning of its digest: what tells one build from another. */
function shortImage(image: string): string {
  const name = image.slice(image.lastIndexOf("/", image.indexOf("@")) + 1);
  return name.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1");
}

const BUG = /^(?:[0-9a-f]{16}|unknown)$/;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Parses a key below the prefix; undefined for one that this program did not write. Never throws. */
export function parseIndexKey(prefix: string, key: string): IndexedCrash | undefined {
  const start = `${prefix}${INDEX_VERSION}`;
  if (!key.startsWith(start) || key.length > KEY_MAX_BYTES + start.length) return undefined;
  const [day = "", bug = "", ...rest] = key.slice(start.length).split("/");
  if (!DAY.test(day) || !BUG.test(bug)) return undefined;
  // The separators tell where a field ends, wherever the names were split.
  const fields = rest.join("").split(SEPARATOR);
  if (fields.length !== SHARED_FIELDS + OWN_FIELDS + 1 || fields.at(-1) !== "") return undefined;
  return parseFields(fields, bug, day);
}

function parseFields(
  fields: readonly string[],
  bug: string,
  day: string,
): IndexedCrash | undefined {
  const [title, exe, signal, namespace, image] = fields.map(decodeField);
  const [time = "", pod, container, node, state, core = "", zip = "", key] = fields
    .slice(SHARED_FIELDS)
    .map(decodeField);
  const timeSeconds = Number(time);
  const zipBytes = Number.parseInt(zip, 36);
  const coreBytes = core === "" ? null : Number.parseInt(core, 36);
  const isSane =
    /^\d{1,12}$/.test(time) &&
    dayOf(timeSeconds) === day &&
    Number.isSafeInteger(zipBytes) &&
    (coreBytes === null || Number.isSafeInteger(coreBytes)) &&
    key !== undefined;
  if (!isSane) return undefined;
  return withoutBlanks({
    timeSeconds,
    bug: bug === UNKNOWN_BUG ? null : bug,
    title,
    exe,
    signal,
    namespace,
    image,
    pod,
    container,
    node,
    coreComplete: state === "y" ? true : state === "n" ? false : null,
    coreBytes,
    zipBytes,
    key,
  });
}
