// `bun build/chart-generate.ts`: writes what follows from the table of the chart's values. A test holds
// the files and the table together, so nobody has to remember to run it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderDashboard } from "./chart-dashboard.ts";
import {
  renderDefaults,
  renderReadmeTable,
  renderSchema,
  renderTraceTable,
  renderValuesYaml,
  renderVariables,
} from "./chart-render.ts";
import { CHART_VALUES } from "./chart-values.ts";
import { renderSettingsPage } from "./settings-page.ts";
import { ROOT } from "./targets.ts";

const BEGIN = "<!-- values: written by build/chart-generate.ts -->";
const END = "<!-- /values -->";

/** The generated files: path below the repository, and the whole text, formatted. */
export function generateChartFiles(): Map<string, string> {
  const files = new Map([
    ["chart/values.yaml", renderValuesYaml(CHART_VALUES)],
    ["chart/values.schema.json", renderSchema(CHART_VALUES)],
    ["chart/dashboards/core-dump-handler.json", renderDashboard()],
    ["chart/README.md", withTable("chart/README.md", renderReadmeTable(CHART_VALUES))],
    ["docs/settings.md", renderSettingsPage()],
    ["docs/values.md", withTable("docs/values.md", renderTraceTable(CHART_VALUES))],
  ]);
  for (const [path, text] of files) files.set(path, format(path, text));
  files.set("chart/templates/_defaults.tpl", renderDefaults(CHART_VALUES));
  return files.set("chart/templates/_variables.tpl", renderVariables(CHART_VALUES));
}

function withTable(path: string, table: string): string {
  const text = readFileSync(join(ROOT, path), "utf8");
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${path} has no ${BEGIN} … ${END}`);
  return `${text.slice(0, begin)}${BEGIN}\n\n${table}\n\n${text.slice(end)}`;
}

function format(path: string, text: string): string {
  const command = [process.execPath, "fmt", "--no-script", "--stdin-filepath", path];
  const run = Bun.spawnSync(command, { cwd: ROOT, stdin: Buffer.from(text) });
  if (!run.success) throw new Error(`bun fmt ${path}: ${run.stderr.toString()}`);
  return run.stdout.toString();
}

if (import.meta.main)
  for (const [path, text] of generateChartFiles()) {
    writeFileSync(join(ROOT, path), text);
    console.log(path);
  }
