// The name of a dump: FILENAME_TEMPLATE with its fields filled in, always one safe path component,
// whatever the crashing process calls itself.
import { portableComponent, portableText } from "./portable-name.ts";
import { shortened } from "./shortened.ts";

/** FILENAME_TEMPLATE's default (docs/contract.md, section 5). */
export const DEFAULT_TEMPLATE = "{uuid}-dump-{timestamp}-{hostname}-{exe_name}-{pid}-{signal}";

/** The fields that a template may name. */
export const TEMPLATE_FIELDS = [
  "uuid",
  "timestamp",
  "hostname",
  "exe_name",
  "pid",
  "signal",
  "limit_size",
  "pathname",
  "namespace",
  "podname",
  "fingerprint",
] as const;

/** One of TEMPLATE_FIELDS. */
export type TemplateField = (typeof TEMPLATE_FIELDS)[number];
/** A value for every field. */
export type TemplateValues = Record<TemplateField, string>;

/** NAME_MAX is 255; room is left for `.zip`, a collision suffix and the agent's own suffixes. */
export const NAME_MAX_BYTES = 200;
/** A single value is cut here so that one hostile field cannot push the others out of the name. */
const VALUE_MAX_CHARACTERS = 80;

const PLACEHOLDER = /\{\{([^{}]*)\}\}|\{([^{}]*)\}/g;

/**
 * Returns the fields of a template that do not exist, and stray braces as "{" or "}". The list is empty for a good
 * template.
 */
export function unknownTemplateFields(template: string): string[] {
  const known: readonly string[] = TEMPLATE_FIELDS;
  const unknown: string[] = [];
  const rest = template.replace(PLACEHOLDER, (_, double?: string, single?: string) => {
    const field = (double ?? single ?? "").trim();
    if (!known.includes(field)) unknown.push(`{${field}}`);
    return "";
  });
  for (const brace of rest.match(/[{}]/g) ?? []) unknown.push(brace);
  return unknown;
}

/**
 * Renders a template to a file name without extension: no slash, no control character, no blank, no leading dot or
 * dash, nothing that Windows refuses, at most NAME_MAX_BYTES bytes. Falls back to the uuid where the template has an
 * unknown field or nothing is left.
 */
export function renderDumpName(template: string, values: TemplateValues): string {
  if (unknownTemplateFields(template).length > 0) return safeComponent(values.uuid);
  const known = values as Record<string, string | undefined>;
  const rendered = template.replace(PLACEHOLDER, (_, double?: string, single?: string) =>
    shortened(portableText(known[(double ?? single ?? "").trim()] ?? ""), VALUE_MAX_CHARACTERS),
  );
  return safeComponent(rendered) || safeComponent(values.uuid);
}

/** Makes one path component that every share can hold (portable-name.ts), at most NAME_MAX_BYTES long. */
export function safeComponent(text: string): string {
  return portableComponent(text, NAME_MAX_BYTES);
}
