// One row of the table of the chart's values, and the JSON schemas that rows share. See chart-values.ts.

import { shapeOfVariable } from "../src/config/agent-settings.ts";

export type Json = null | boolean | number | string | readonly Json[] | { [key: string]: Json };
export type JsonSchema = { readonly [key: string]: Json };

export interface ChartValue {
  /** Dotted, as `helm --set` takes it. */
  path: string;
  fallback: Json;
  /** What it does, for values.yaml and the tables. */
  about: string;
  /** The agent's environment variable that it becomes. */
  variable?: string;
  /** The allowed values; without it what its variable allows, or whatever has the type of the default. */
  schema?: JsonSchema;
  /** Another value that works, where the default is blank and no number or plain word would do. */
  sample?: Json;
  /** Why the chart's default is not the agent's own. */
  differs?: string;
}

export const BLANK_OR = (schema: JsonSchema): JsonSchema => ({
  anyOf: [{ type: "null" }, { const: "" }, schema],
});
export const TEXT_OR_NULL: JsonSchema = { type: ["string", "null"] };
export const OBJECT: JsonSchema = { type: "object" };
export const OBJECTS: JsonSchema = { type: "array", items: { type: "object" } };
export const ABSOLUTE_PATH: JsonSchema = { type: "string", pattern: "^/" };
export const ABSOLUTE_PATH_OR_BLANK: JsonSchema = { type: "string", pattern: "^$|^/" };
/** A Kubernetes quantity or a plain number of bytes. */
export const SIZE: JsonSchema = {
  type: ["string", "integer"],
  pattern: "^[0-9]+(\\.[0-9]+)?\\s*([kKmMgGtT]i?)?[bB]?$",
  minimum: 0,
};
/** A share of a filesystem: per cent of it, or a size. */
export const SHARE: JsonSchema = {
  type: ["string", "integer"],
  pattern: "^([0-9]{1,2}(\\.[0-9]+)?%|100%|[0-9]+(\\.[0-9]+)?\\s*([kKmMgGtT]i?)?[bB]?)$",
  minimum: 0,
};

/** The schema of a value that becomes this variable, by what the agent's own settings allow. */
export function schemaOfVariable(variable: string): JsonSchema | undefined {
  const shape = shapeOfVariable(variable);
  switch (shape?.kind) {
    case "integer":
      return { type: "integer", minimum: shape.min, maximum: shape.max };
    case "choice":
      return {
        enum: [...new Set([...shape.words, ...shape.words.map((word) => word.toLowerCase())])],
      };
    case "size":
      return SIZE;
    case "pattern":
      return { type: "string", pattern: `^$|${shape.pattern}` };
    case "share":
      return SHARE;
    case undefined:
      return undefined;
  }
}
