// Alerts and dashboard speak of metrics that the agent really offers.
import { expect, test } from "bun:test";
import { openAgentMetrics } from "../../../src/agent/metrics/agent-metrics.ts";
import { envOf, objectOf, renderChart } from "../../support/helm.ts";

const ON = {
  "monitoring.podMonitor.enabled": true,
  "monitoring.prometheusRule.enabled": true,
  "monitoring.dashboard.enabled": true,
};

interface Rule {
  alert: string;
  expr: string;
  annotations: { summary: string; description: string };
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

test("the alerts are those that an operator needs, each with words", async () => {
  const all = await rules();
  expect(all.map(({ alert }) => alert)).toEqual([
    "CoreDumpNodeNotReady",
    "CoreDumpPatternDrift",
    "CoreDumpBacklogAges",
    "CoreDumpDeliveriesFail",
    "CoreDumpTruncated",
    "CoreDumpSuppressed",
    "CoreDumpEvicted",
    "CoreDumpDroppedByKernel",
    "CoreDumpListenerLost",
  ]);
  for (const { annotations } of all) {
    expect(annotations.summary).toContain("$labels.node");
    expect(annotations.description).not.toBeEmpty();
  }
});

test("the dashboard shows metrics that there are", async () => {
  const map = objectOf(await renderChart("helm3", { values: ON }), "ConfigMap");
  const [text = ""] = Object.values((map["data"] ?? {}) as Record<string, string>);
  const dashboard = JSON.parse(text) as { panels: { targets: { expr: string }[] }[] };
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
