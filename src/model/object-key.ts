// Makes an object's key from STORE_KEY_TEMPLATE. Only the template adds slashes: a value, whoever chose it, stays within
// one component of the key.
import { COMPONENT_MAX_BYTES, portableComponent, portableFileName } from "./portable-name.ts";
import { shortened } from "./shortened.ts";

/** S3_KEY_TEMPLATE's default. */
export const DEFAULT_KEY_TEMPLATE = "{filename}";

/** The fields that a key template may name. */
export const KEY_FIELDS = [
  "filename",
  "cluster",
  "node",
  "namespace",
  "podname",
  "container",
  "hostname",
  "exe_name",
  "signal",
  "fingerprint",
  "uuid",
  "timestamp",
  "date",
  "year",
  "month",
  "day",
  "hour",
] as const;

/** One of KEY_FIELDS. */
export type KeyField = (typeof KEY_FIELDS)[number];
/** A value for every field. */
export type KeyValues = Readonly<Record<KeyField, string>>;

/** The strictest store takes 1024 bytes (S3); room is left for STORE_URL's prefix and a collision suffix. */
const KEY_MAX_BYTES = 800;
const VALUE_MAX_CHARACTERS = 120;
/**
 * How long each value may be, in characters. A key that is too long takes the next, shorter length. The file's name is
 * never cut.
 */
const VALUE_CUTS = [VALUE_MAX_CHARACTERS, 48, 16] as const;
const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}|\{\s*([^{}]*?)\s*\}/g;

/** Returns what is wrong with a key template, as words for a message. The list is empty for a good template. */
export function keyTemplateProblems(template: string): string[] {
  const known: readonly string[] = KEY_FIELDS;
  const problems: string[] = [];
  const used = new Set<string>();
  const rest = template.replace(PLACEHOLDER, (_, double?: string, single?: string) => {
    const field = double ?? single ?? "";
    used.add(field);
    if (!known.includes(field)) problems.push(`{${field}} is no field`);
    return "x";
  });
  if (/[{}]/.test(rest)) problems.push("a brace stands alone");
  if (/[^\x20-\x7e]/.test(rest)) problems.push("only printable ASCII is allowed");
  if (rest.split("/").some((component) => ["", ".", ".."].includes(component)))
    problems.push("it has an empty component, . or ..");
  if (!used.has("filename") && !used.has("uuid"))
    problems.push("without {filename} or {uuid} every dump would get the same key");
  return problems;
}

/**
 * Fills in a template in which keyTemplateProblems() found nothing wrong. Every component of the key can be a file's
 * name, so that the object can be copied to any file system later.
 */
export function renderObjectKey(template: string, values: KeyValues): string {
  const keys = VALUE_CUTS.map((maxBytes) => fillTemplate(template, values, portable(maxBytes)));
  return keys.find(fits) ?? (keys.at(-1) ?? "").slice(0, KEY_MAX_BYTES);
}

function portable(maxBytes: number): (value: string, field: string) => string {
  return (value, field) =>
    (field === "filename" ? portableFileName(value) : portableComponent(value, maxBytes)) ||
    "unknown";
}

function fits(key: string): boolean {
  const isShort = (component: string) => component.length <= COMPONENT_MAX_BYTES;
  return key.length <= KEY_MAX_BYTES && key.split("/").every(isShort);
}

/** Returns the template with each known field replaced by `clean(value)`; unknown fields vanish. */
export function fillTemplate(
  template: string,
  values: KeyValues,
  clean: (value: string, field: string) => string,
): string {
  const known = values as Readonly<Record<string, string | undefined>>;
  return template.replace(PLACEHOLDER, (_, double?: string, single?: string) => {
    const field = double ?? single ?? "";
    const value = known[field] ?? "";
    // The file's name is safe already, and cutting it could make two dumps collide.
    return clean(field === "filename" ? value : shortened(value, VALUE_MAX_CHARACTERS), field);
  });
}

/**
 * Returns the key to try where a different object has the key already: `a/T-2.zip` for `a/T.zip` and 2. With 0 it is
 * the key itself.
 */
export function keyWithSuffix(key: string, suffix: number): string {
  if (suffix === 0) return key;
  const dot = key.lastIndexOf(".");
  const cut = dot > key.lastIndexOf("/") + 1 ? dot : key.length;
  return `${key.slice(0, cut)}-${suffix}${key.slice(cut)}`;
}
