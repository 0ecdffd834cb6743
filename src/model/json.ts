// Reads JSON without trusting its shape, and writes it as crictl does.
import { printableJson } from "./printable.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** A JSON object. */
export type JsonObject = { [key: string]: Json };

/** Returns whether a value is an object, which null and a list are not. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the value at a path of keys, or undefined where there is none. */
export function at(value: Json | undefined, ...keys: string[]): Json | undefined {
  let current = value;
  for (const key of keys) {
    if (!isObject(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

/** Returns the text at a path, or "" where there is none. */
export function textAt(value: Json | undefined, ...keys: string[]): string {
  const found = at(value, ...keys);
  return typeof found === "string" ? found : "";
}

/** Returns the objects in the list at a path; empty where there is no list. */
export function objectsAt(value: Json | undefined, ...keys: string[]): JsonObject[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found.filter(isObject) : [];
}

/** Returns the texts in the list at a path; empty where there is no list. */
export function textsAt(value: Json | undefined, ...keys: string[]): string[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found.filter((item) => typeof item === "string") : [];
}

/** Returns the text values of the object at a path; empty where there is no object. */
export function textMapAt(value: Json | undefined, ...keys: string[]): Record<string, string> {
  const found = at(value, ...keys);
  if (!isObject(found)) return {};
  return Object.fromEntries(
    Object.entries(found).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

/**
 * Returns whether lists and objects are nested deeper than `levels`. Writing a very deep value takes minutes or
 * overflows the stack.
 */
export function isDeeperThan(value: Json, levels: number): boolean {
  const left: [value: Json, depth: number][] = [[value, 0]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [current, depth] = next;
    if (typeof current !== "object" || current === null) continue;
    if (depth >= levels) return true;
    for (const inner of Object.values(current)) left.push([inner, depth + 1]);
  }
  return false;
}

/** Writes JSON indented as crictl does, and harmless to a terminal. */
export function formatJson(value: Json): Uint8Array {
  return new TextEncoder().encode(`${printableJson(value, 2)}\n`);
}
