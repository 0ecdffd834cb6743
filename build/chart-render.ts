// What is written from the table of the chart's values, as text; chart-generate.ts puts it into files.
import { EVIDENCE, VALUE_EVIDENCE } from "./chart-evidence.ts";
import { FORMER_VALUES } from "./chart-former-values.ts";
import type { ChartValue, Json } from "./chart-value.ts";

type Tree = { [key: string]: Tree | ChartValue };

function isValue(node: Tree | ChartValue): node is ChartValue {
  return typeof node["path"] === "string";
}

function treeOf(values: readonly ChartValue[]): Tree {
  const root: Tree = {};
  for (const value of values) {
    const keys = value.path.split(".");
    const last = keys.pop() ?? "";
    let node = root;
    for (const key of keys) {
      const next = (node[key] ??= {});
      if (isValue(next)) throw new Error(`${value.path}: ${key} is a value already`);
      node = next;
    }
    if (last in node) throw new Error(`${value.path} stands twice in the table`);
    node[last] = value;
  }
  return root;
}

/** values.yaml: each default under a comment that says what it does. */
export function renderValuesYaml(values: readonly ChartValue[]): string {
  return `${HEADER}\n${renderYaml(treeOf(values), "").join("\n")}\n`;
}

const HEADER = `# The chart's values and their defaults. Written by \`bun build/chart-generate.ts\` from
# build/chart-values*.ts: change them there.
`;

function renderYaml(tree: Tree, indent: string): string[] {
  return Object.entries(tree).flatMap(([key, node]) => {
    if (!isValue(node)) return [`${indent}${key}:`, ...renderYaml(node, `${indent}  `)];
    const variable = node.variable === undefined ? "" : ` (${node.variable})`;
    const comment = wrap(`${node.about}${variable}`, 98 - indent.length);
    const value = node.fallback === null ? "" : ` ${JSON.stringify(node.fallback)}`;
    return [...comment.map((line) => `${indent}# ${line}`), `${indent}${key}:${value}`];
  });
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

/** values.schema.json: every key, and no other one. */
export function renderSchema(values: readonly ChartValue[]): string {
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "core-dump-handler values",
    ...objectSchema(treeOf([...values, ...FORMER_VALUES]), {
      global: { type: ["object", "null"] },
    }),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function objectSchema(tree: Tree, extra: Record<string, Json> = {}): Record<string, Json> {
  const properties: Record<string, Json> = { ...extra };
  for (const [key, node] of Object.entries(tree))
    properties[key] = isValue(node)
      ? { description: node.about, ...(node.schema ?? schemaOf(node.fallback)) }
      : objectSchema(node);
  return { type: "object", additionalProperties: false, properties };
}

function schemaOf(fallback: Json): Record<string, Json> {
  if (fallback === null) throw new Error("a value without a default needs a schema");
  if (Array.isArray(fallback)) return { type: "array" };
  if (Number.isInteger(fallback)) return { type: "integer" };
  return { type: typeof fallback };
}

/** The helm template that lists which value becomes which variable. */
export function renderVariables(values: readonly ChartValue[]): string {
  const rows = values.flatMap(({ variable, path }) =>
    variable === undefined ? [] : [`${variable}: ${path}`],
  );
  return `{{- /* Written by \`bun build/chart-generate.ts\` from build/chart-values*.ts: change it there. */ -}}
{{- define "core-dump-handler.variables" -}}
${rows.join("\n")}
{{- end -}}
`;
}

/**
 * The helm template that holds every default. `helm upgrade --reuse-values` gives the values of the release as it was,
 * of IBM's chart or of an earlier one of ours, in place of values.yaml.
 */
export function renderDefaults(values: readonly ChartValue[]): string {
  const json = JSON.stringify(defaultsOf(treeOf(values)), null, 2);
  if (json.includes("{{")) throw new Error("a default that helm would take for a template");
  return `{{- /* Written by \`bun build/chart-generate.ts\` from build/chart-values*.ts: change it there. */ -}}
{{- define "core-dump-handler.defaults" -}}
${json}
{{- end -}}
`;
}

function defaultsOf(tree: Tree): Record<string, Json> {
  const entries = Object.entries(tree).map(([key, node]): [string, Json] => [
    key,
    isValue(node) ? node.fallback : defaultsOf(node),
  ]);
  return Object.fromEntries(entries);
}

/** The values as a Markdown table: name, default, meaning. */
export function renderReadmeTable(values: readonly ChartValue[]): string {
  const rows = values.map(
    ({ path, fallback, about }) => `| \`${path}\` | ${shown(fallback)} | ${cell(about)} |`,
  );
  return ["| Value | Default | What it does |", "| --- | --- | --- |", ...rows].join("\n");
}

/** Each value, the variable it becomes, what that does and where it is tested. */
export function renderTraceTable(values: readonly ChartValue[]): string {
  const rows = values.map(({ path, variable, about }) => {
    const name = variable === undefined ? "" : `\`${variable}\``;
    return `| \`${path}\` | ${name} | ${cell(about)} | ${evidenceFor(path, variable)} |`;
  });
  const head = ["| Value | Variable | Behaviour | Shown by test/ |", "| --- | --- | --- | --- |"];
  return [...head, ...rows].join("\n");
}

function evidenceFor(path: string, variable: string | undefined): string {
  if (variable === undefined) return VALUE_EVIDENCE[path] ?? "unit/chart/template.test.ts";
  return EVIDENCE[variable] ?? "unit/chart/variables.test.ts";
}

function shown(value: Json): string {
  return value === null ? "not set" : `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("{{", "&#123;&#123;");
}
