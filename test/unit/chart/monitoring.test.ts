// Alerts and dashboard speak of metrics that the agent really offers.
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DASHBOARD_STATS } from "../../../build/chart-dashboard.ts";
import { ROOT } from "../../../build/targets.ts";
import { openAgentMetrics } from "../../../src/agent/metrics/agent-metrics.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { envOf, objectOf, renderChart } from "../../support/helm.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const ON = {
  "monitoring.podMonitor.enabled": true,
  "monitoring.prometheusRule.enabled": true,
  "monitoring.dashboard.enabled": true,
};

interface Rule {
  alert: string;
  expr: string;
  annotations: { summary: string; description: string; runbook_url: string };
}

async function rules(): Promise<Rule[]> {
  const rule = objectOf(await renderChart("helm4", { values: ON }), "PrometheusRule");
  // Our own template's shape; a rule without one of these fields fails the tests below.
  return (rule["spec"] as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
}

/** Names as PromQL writes them; a histogram's _bucket counts as the histogram. */
function metricsIn(text: string): string[] {
  const names = text.match(/core_dump_handler_[a-z_]+/g) ?? [];
  return [...new Set(names)].map((name) => name.replace(/_bucket$/, ""));
}

const offered = metricsIn(openAgentMetrics().registry.render());

test("every alert asks for a metric that there is, of this release only", async () => {
  for (const { alert, expr } of await rules()) {
    expect(metricsIn(expr).length).toBeGreaterThan(0);
    expect(offered, alert).toEqual(expect.arrayContaining(metricsIn(expr)));
    expect(expr).toContain('job="observe/core-dump-handler"');
  }
});

test("every alert has words, and a heading of docs/alerts.md as its runbook; every heading its alert", async () => {
  const all = await rules();
  for (const { alert, annotations } of all) {
    // Where no agent is seen there is no node to name.
    if (alert !== "CoreDumpAgentAbsent") expect(annotations.summary).toContain("$labels.node");
    expect(annotations.description).not.toBeEmpty();
    expect(annotations.runbook_url).toBe(`docs/alerts.md#${alert.toLowerCase()}`);
  }
  const page = readFileSync(join(ROOT, "docs/alerts.md"), "utf8");
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading = ""]) => heading);
  expect(headings).toEqual(all.map(({ alert }) => alert));
});

interface AlertCase {
  alert: string;
  /** Series, by promtool's notation, with which the alert fires, and others with which it does not. */
  series: [string, string][];
  quiet: [string, string][];
  at: string;
  labels: Record<string, string>;
}

gatedTest(
  "Prometheus itself fires each alert on its series, and is quiet on others",
  [missingProgram("promtool")],
  async () => {
    const all = await rules();
    const cases = JSON.parse(
      readFileSync(join(ROOT, "test/fixtures/alerts.json"), "utf8"),
    ) as AlertCase[];
    expect(cases.map(({ alert }) => alert).toSorted()).toEqual(
      all.map(({ alert }) => alert).toSorted(),
    );
    const job = "observe/core-dump-handler";
    const write = (series: [string, string][]) =>
      series.map(([name, values]) => ({ series: name.replace("JOB", `job="${job}"`), values }));
    const tests = cases.flatMap(({ alert, series, quiet, at, labels }) => {
      const isAbout = Object.hasOwn(labels, "node") ? series[0]?.[0].includes("JOB") : true;
      // absent() takes the job's label from its selector.
      const exp_labels = isAbout ? { ...labels, job } : labels;
      const check = (exp_alerts: unknown[]) => [{ eval_time: at, alertname: alert, exp_alerts }];
      return [
        {
          interval: "1m",
          input_series: write(series),
          alert_rule_test: check([
            { exp_labels, exp_annotations: annotationsOf(all, alert, labels) },
          ]),
        },
        { interval: "1m", input_series: write(quiet), alert_rule_test: check([]) },
      ];
    });
    await withFolder(async (folder) => {
      const rulesPath = join(folder, "rules.yaml");
      writeFileSync(rulesPath, JSON.stringify({ groups: [{ name: "all", rules: all }] }));
      const testsPath = join(folder, "tests.yaml");
      writeFileSync(
        testsPath,
        JSON.stringify({ rule_files: [rulesPath], evaluation_interval: "1m", tests }),
      );
      const run = Bun.spawnSync(["promtool", "test", "rules", testsPath]);
      expect(run.stdout.toString() + run.stderr.toString()).toContain("SUCCESS");
      expect(run.exitCode).toBe(0);
    });
  },
);

/** The annotations as Prometheus fills them in. */
function annotationsOf(all: readonly Rule[], alert: string, labels: Record<string, string>) {
  const annotations = all.find((rule) => rule.alert === alert)?.annotations;
  const filled = (text: string) =>
    text
      .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? "")
      .replaceAll("{{ $value | humanizeDuration }}", "1h 6m 40s");
  return Object.fromEntries(
    Object.entries(annotations ?? {}).map(([name, text]) => [name, filled(text)]),
  );
}

test("the dashboard shows metrics that there are", async () => {
  const map = objectOf(await renderChart("helm3", { values: ON }), "ConfigMap");
  const [text = ""] = Object.values((map["data"] ?? {}) as Record<string, string>);
  const dashboard = JSON.parse(text) as { panels: { type: string; targets: { expr: string }[] }[] };
  const kinds = dashboard.panels.slice(0, DASHBOARD_STATS.length).map(({ type }) => type);
  expect([...new Set(kinds)]).toEqual(["stat"]);
  const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(queries.length).toBeGreaterThan(10);
  expect(offered).toEqual(expect.arrayContaining(metricsIn(queries.join("\n"))));
});

test("nothing of it is there unless it is asked for", async () => {
  const kinds = (await renderChart("helm4")).map(({ kind }) => kind);
  expect(kinds).not.toContain("PodMonitor");
  expect(kinds).not.toContain("PrometheusRule");
  expect(kinds).not.toContain("ConfigMap");
  expect(kinds).not.toContain("NetworkPolicy");
});

test("the port is the pod's own address's, unless another is asked for", async () => {
  const own = envOf(await renderChart("helm4")).get("HTTP_ADDRESS");
  expect(own).toEqual({
    name: "HTTP_ADDRESS",
    valueFrom: { fieldRef: { fieldPath: "status.podIP" } },
  });
  const values = { "daemonset.httpAddress": "0.0.0.0" };
  const asked = envOf(await renderChart("helm3", { values })).get("HTTP_ADDRESS");
  expect(asked).toEqual({ name: "HTTP_ADDRESS", value: "0.0.0.0" });
});

test("a NetworkPolicy lets in whom it names, to the one port, and else nobody", async () => {
  const from = [{ namespaceSelector: { matchLabels: { team: "observe" } } }];
  const values = { "networkPolicy.enabled": true };
  const closed = objectOf(await renderChart("helm4", { values }), "NetworkPolicy");
  const spec = {
    podSelector: { matchLabels: { name: "core-dump-ds" } },
    policyTypes: ["Ingress"],
  };
  expect(closed["spec"]).toEqual({ ...spec, ingress: [] });
  const open = objectOf(
    await renderChart("helm4", { values: { ...values, "networkPolicy.from": from } }),
    "NetworkPolicy",
  );
  const ports = [{ protocol: "TCP", port: "http" }];
  expect(open["spec"]).toEqual({ ...spec, ingress: [{ from, ports }] });
});
