// The building blocks of both configuration schemas: one setting is a valibot schema from text to a
// value, plus its default. Blank text counts as unset, as helm renders unset values.
import { isIP } from "node:net";
import * as v from "valibot";
import { isDiskShare } from "../model/disk-share.ts";

/** One setting: its schema, its default, and what messages say about it. */
export interface Setting<T> {
  schema: v.GenericSchema<string, T>;
  fallback: T;
  /** Describes a right value, for the message about a wrong one. */
  expected: string;
  /** True for a secret, whose value no message prints. */
  secret?: boolean;
  /** The variable's name in earlier versions, which the agent reads where the present one is not set. */
  formerly?: string;
  /** The allowed values as data, for the chart's schema; absent where any text is allowed. */
  shape?: SettingShape;
}

/** The allowed values of a setting, as data. */
export type SettingShape =
  | { kind: "integer"; min: number; max: number }
  | { kind: "choice"; words: readonly string[] }
  | { kind: "size" }
  | { kind: "pattern"; pattern: string }
  | { kind: "share" };

/** A wrong value of a variable. */
export interface Complaint {
  variable: string;
  value: string;
  expected: string;
}

/** A password, or a signature that opens a store (Azure's SAS). */
const SECRET_IN_URL = /\/\/[^/]*@|[?&]sig=/i;

type AnySettings = Record<string, Setting<unknown>>;
/** The parsed values of a table of settings. */
export type SettingValues<S extends AnySettings> = {
  [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** Reads every setting from text. A wrong value keeps its default and becomes a complaint. Never throws. */
export function readSettings<S extends AnySettings>(
  settings: S,
  source: Readonly<Record<string, string | undefined>>,
): { values: SettingValues<S>; complaints: Complaint[] } {
  const values: Record<string, unknown> = {};
  const complaints: Complaint[] = [];
  for (const [name, setting] of Object.entries(settings)) {
    values[name] = setting.fallback;
    const isSet = (candidate = "") => (source[candidate]?.trim() ?? "") !== "";
    const variable = [name, setting.formerly].find(isSet);
    if (variable === undefined) continue;
    const given = source[variable]?.trim() ?? "";
    const parsed = v.safeParse(setting.schema, given);
    if (parsed.success) values[name] = parsed.output;
    else
      complaints.push({
        variable,
        value: setting.secret === true || SECRET_IN_URL.test(given) ? "(hidden)" : given,
        expected: setting.expected,
      });
  }
  // The loop above has filled in each key of S with its own schema.
  return { values: values as SettingValues<S>, complaints };
}

/** The names that settings had in earlier versions. */
export function formerNames(settings: AnySettings): string[] {
  return Object.values(settings).flatMap(({ formerly }) => formerly ?? []);
}

/** Writes `VARIABLE="value": expected …` on one line, whatever the value holds. */
export function describeComplaint({ variable, value, expected }: Complaint): string {
  const shown = value === "(hidden)" ? value : JSON.stringify(value.slice(0, 200));
  return `${variable} is ${shown}; expected ${expected}`;
}

const TRUE = new Set(["true", "1", "yes", "on"]);
const FALSE = new Set(["false", "0", "no", "off"]);

/** A setting that is on or off, such as true or false, in any case. */
export function flag(fallback: boolean): Setting<boolean> {
  const schema = v.pipe(
    v.string(),
    v.toLowerCase(),
    v.check((word) => TRUE.has(word) || FALSE.has(word)),
    v.transform((word) => TRUE.has(word)),
  );
  return { schema, fallback, expected: "true or false" };
}

/** A whole number from min to max, in the unit named. */
export function integer<T>(
  fallback: number | T,
  { min, max, unit }: { min: number; max: number; unit: string },
): Setting<number | T> {
  const schema = v.pipe(
    v.string(),
    v.regex(/^\d+$/),
    v.transform(Number),
    v.safeInteger(),
    v.minValue(min),
    v.maxValue(max),
  );
  const expected = `a whole number of ${unit} from ${min} to ${max}`;
  return { schema, fallback, expected, shape: { kind: "integer", min, max } };
}

/**
 * One of a few words, in any case; the word as listed is the value. `others` are words that stand for one of them, such
 * as those of IBM's agent.
 */
export function choice<const T extends string>(
  fallback: NoInfer<T>,
  words: readonly T[],
  others: Readonly<Record<string, NoInfer<T>>> = {},
): Setting<T> {
  const meanings = [...words.map((word) => [word, word] as const), ...Object.entries(others)];
  const find = (given: string) =>
    meanings.find(([word]) => word.toLowerCase() === given.toLowerCase())?.[1];
  const schema = v.pipe(
    v.string(),
    v.check((given) => find(given) !== undefined),
    v.transform((given) => find(given) ?? fallback),
  );
  const expected = `one of ${words.join(", ")}`;
  const shape = { kind: "choice" as const, words: meanings.map(([word]) => word) };
  return { schema, fallback, expected, shape };
}

/** Any text on one line. */
export function text(fallback: string, options: { secret?: boolean } = {}): Setting<string> {
  const schema = v.pipe(v.string(), v.regex(/^[^\u0000-\u001f\u007f]*$/));
  return { schema, fallback, expected: "text on one line", ...options };
}

/** An IP address of either family, without a port. */
export function address(fallback: string): Setting<string> {
  const schema = v.pipe(
    v.string(),
    v.check((value) => isIP(value) !== 0),
  );
  return { schema, fallback, expected: "an IP address such as 10.1.2.3 or ::1, without a port" };
}

/** An absolute path without `..`, trailing slashes dropped. */
export function path(fallback: string): Setting<string> {
  const schema = v.pipe(
    v.string(),
    v.regex(/^\/[^\u0000-\u001f\u007f]*$/),
    v.check((value) => !value.split("/").includes("..")),
    v.transform((value) => value.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1")),
  );
  return { schema, fallback, expected: "an absolute path without .." };
}

const UNITS: Record<string, number> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/**
 * A size in bytes, with the suffixes that Kubernetes knows (500M, 10Gi); a trailing B is allowed. Within limits, where
 * there are any, or 0 unless `zero` is false.
 */
export function byteSize(
  fallback: number,
  limits?: { min: string; max: string; zero?: boolean },
): Setting<number> {
  const min = parseByteSize(limits?.min ?? "0");
  const max = limits === undefined ? Infinity : parseByteSize(limits.max);
  const mayBeZero = limits?.zero !== false;
  const schema = v.pipe(
    v.string(),
    v.transform(parseByteSize),
    v.check((bytes) => Number.isSafeInteger(bytes)),
    v.check((bytes) => (bytes === 0 && mayBeZero) || (bytes >= min && bytes <= max)),
  );
  const expected =
    limits === undefined
      ? "a size in bytes such as 1073741824, 500M or 10Gi"
      : `${mayBeZero ? "0 or " : ""}a size in bytes from ${limits.min} to ${limits.max}`;
  return { schema, fallback, expected, shape: { kind: "size" } };
}

/** A share of a filesystem (model/disk-share.ts): `10%`, or a size in bytes, which the value then holds. */
export function diskShare(fallback: string): Setting<string> {
  const schema = v.pipe(
    v.string(),
    v.transform((value) => (isDiskShare(value) ? value : String(parseByteSize(value)))),
    v.check(isDiskShare),
  );
  const expected = "a share such as 10%, or a size such as 500M or 10Gi";
  return { schema, fallback, expected, shape: { kind: "share" } };
}

function parseByteSize(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?$/i.exec(value);
  if (match === null) return Number.NaN;
  return Math.floor(Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? Number.NaN));
}
