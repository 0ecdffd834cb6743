// The chart and the program agree: which variables there are, and what each is when nobody sets it.
import { expect, test } from "bun:test";
import { agentVariables, readAgentSettings } from "../../../src/config/agent-settings.ts";
import type { ChartValue, Json } from "../../../build/chart-value.ts";
import { CHART_VALUES, UNUSED_VARIABLES, WIRED_VARIABLES } from "../../../build/chart-values.ts";
import { envOf, renderChart } from "../../support/helm.ts";

const rows = CHART_VALUES.filter(({ variable }) => variable !== undefined);
const wired = WIRED_VARIABLES.map(({ variable }) => variable);

test("with every value set, the pod has every variable of the agent, and it takes them all", async () => {
  const values = Object.fromEntries(rows.map((row) => [row.path, sampleOf(row)]));
  const manifests = await renderChart("helm4", { values });
  const names = [...envOf(manifests).keys()];
  const expected = agentVariables().filter((variable) => !(variable in UNUSED_VARIABLES));
  expect(names.toSorted()).toEqual(expected.toSorted());
  expect(() => readAgentSettings(plainEnv(manifests))).not.toThrow();
});

test("what the agent reads from a default chart is what it reads from an empty environment", async () => {
  const own = readAgentSettings({});
  const charted = readAgentSettings(plainEnv(await renderChart("helm4")));
  const allowed = rows
    .filter(({ differs }) => differs !== undefined)
    .map((row) => row.variable ?? "");
  for (const variable of allowed)
    expect(charted).not.toHaveProperty(variable, Reflect.get(own, variable));
  for (const variable of [...allowed, ...wired])
    Reflect.set(charted, variable, Reflect.get(own, variable));
  expect(charted).toEqual(own);
});

test("a whole number stays one, however large", async () => {
  const env = envOf(await renderChart("helm3", { values: { "daemonset.interval": 86400000 } }));
  expect(env.get("INTERVAL")?.value).toBe("86400000");
});

function plainEnv(manifests: Awaited<ReturnType<typeof renderChart>>): Record<string, string> {
  const entries = [...envOf(manifests).values()];
  return Object.fromEntries(entries.map(({ name, value }) => [name, value ?? ""]));
}

function sampleOf({ path, fallback, sample, schema }: ChartValue): Json {
  if (sample !== undefined) return sample;
  if (fallback !== null && fallback !== "" && fallback !== "XXX") return fallback;
  return JSON.stringify(schema ?? "").includes("integer")
    ? 60000
    : `sample-${path.split(".").at(-1)}`;
}
