import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { generateChartFiles } from "../../../build/chart-generate.ts";
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

test("the test that a value names exists", () => {
  for (const { shownBy } of CHART_VALUES)
    if (shownBy !== undefined)
      expect(readFileSync(join(ROOT, "test", shownBy), "utf8")).toBeTruthy();
});
