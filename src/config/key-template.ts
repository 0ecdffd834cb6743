// STORE_KEY_TEMPLATE, a setting of the agent's that the composer gets too: a report tells the dump's key.
import * as v from "valibot";
import { DEFAULT_KEY_TEMPLATE, KEY_FIELDS, keyTemplateProblems } from "../model/object-key.ts";
import type { Setting } from "./setting.ts";

/** How a dump is named in the store. */
export const keyTemplate: Setting<string> = {
  schema: v.pipe(
    v.string(),
    v.check((template) => keyTemplateProblems(template).length === 0),
  ),
  fallback: DEFAULT_KEY_TEMPLATE,
  expected: `a path with {filename} or {uuid} in it, of the fields ${KEY_FIELDS.map((field) => `{${field}}`).join(" ")}`,
};
