import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { generateChartFiles } from "../../../build/chart-generate.ts";
import { EVIDENCE, UNSHOWN, VALUE_EVIDENCE } from "../../../build/chart-evidence.ts";
import { CHART_VALUES } from "../../../build/chart-values.ts";
import { ROOT } from "../../../build/targets.ts";
import packageJson from "../../../package.json" with { type: "json" };

for (const [path, text] of generateChartFiles())
  test(`${path} is what build/chart-generate.ts writes`, () => {
    expect(readFileSync(join(ROOT, path), "utf8")).toBe(text);
  });

test("the chart has the program's version", () => {
  const chart = Bun.YAML.parse(readFileSync(join(ROOT, "chart/Chart.yaml"), "utf8"));
  expect(chart).toMatchObject({ version: packageJson.version, appVersion: packageJson.version });
});

test("the test that is named as a variable's evidence speaks of it", () => {
  for (const [variable, path] of Object.entries(EVIDENCE)) {
    const text = readFileSync(join(ROOT, "test", path), "utf8");
    expect(`${path}: ${text}`).toMatch(
      new RegExp(`\\b(COMP_)?${variable.replace("COMP_", "")}\\b`),
    );
  }
});

test("the test that is named as a value's evidence speaks of it", () => {
  for (const [path, file] of Object.entries(VALUE_EVIDENCE)) {
    expect(readFileSync(join(ROOT, "test", file), "utf8")).toContain(path);
    expect(CHART_VALUES.map((value) => value.path)).toContain(path);
  }
});

test("a setting names the test that shows what it does", () => {
  const shown = [...Object.keys(EVIDENCE), ...UNSHOWN];
  const variables = CHART_VALUES.flatMap(({ variable }) => variable ?? []);
  expect(variables.filter((variable) => !shown.includes(variable))).toEqual([]);
  expect(UNSHOWN.filter((variable) => variable in EVIDENCE)).toEqual([]);
});

test("evidence is of variables that there are", () => {
  const variables = CHART_VALUES.map(({ variable }) => variable ?? "");
  expect(variables).toEqual(expect.arrayContaining(Object.keys(EVIDENCE)));
});
