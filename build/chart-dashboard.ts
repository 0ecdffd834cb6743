// The Grafana dashboard as a table of its panels; chart-generate.ts writes it to chart/dashboards/.

interface Panel {
  title: string;
  unit: "short" | "bytes" | "s";
  /** PromQL by legend. $job is a variable of the dashboard. */
  queries: Record<string, string>;
}

const JOB = '{job=~"$job"}';
const METRIC = "core_dump_handler_";

export const DASHBOARD_PANELS: readonly Panel[] = [
  {
    title: "Crashes by what became of them",
    unit: "short",
    queries: {
      "{{outcome}}": `sum by (outcome) (increase(${METRIC}dumps_total${JOB}[$__rate_interval]))`,
    },
  },
  {
    title: "Crashes by namespace and signal",
    unit: "short",
    queries: {
      "{{namespace}} {{signal}}": `sum by (namespace, signal) (increase(${METRIC}dumps_total${JOB}[$__rate_interval]))`,
    },
  },
  {
    title: "How long crashed processes were held (95th percentile)",
    unit: "s",
    queries: {
      "95 %": `histogram_quantile(0.95, sum by (le) (rate(${METRIC}drain_seconds_bucket${JOB}[$__rate_interval])))`,
    },
  },
  {
    title: "Waiting for delivery",
    unit: "bytes",
    queries: { "{{node}}": `sum by (node) (${METRIC}backlog_bytes${JOB})` },
  },
  {
    title: "Age of the oldest waiting dump",
    unit: "s",
    queries: { "{{node}}": `max by (node) (${METRIC}backlog_oldest_age_seconds${JOB})` },
  },
  {
    title: "Deliveries",
    unit: "short",
    queries: {
      "{{outcome}}": `sum by (outcome) (increase(${METRIC}deliveries_total${JOB}[$__rate_interval]))`,
    },
  },
  {
    title: "Lost or cut short",
    unit: "short",
    queries: {
      "truncated by {{by}}": `sum by (by) (increase(${METRIC}dumps_truncated_total${JOB}[$__rate_interval]))`,
      suppressed: `sum(increase(${METRIC}dumps_suppressed_total${JOB}[$__rate_interval]))`,
      evicted: `sum(increase(${METRIC}dumps_evicted_total${JOB}[$__rate_interval]))`,
      "dropped by the kernel": `sum(increase(${METRIC}core_pipe_limit_drops_total${JOB}[$__rate_interval]))`,
    },
  },
  {
    title: "Bytes from the kernel and in zips",
    unit: "bytes",
    queries: {
      cores: `sum(increase(${METRIC}core_bytes_total${JOB}[$__rate_interval]))`,
      zips: `sum(increase(${METRIC}zip_bytes_total${JOB}[$__rate_interval]))`,
    },
  },
  {
    title: "Nodes where crashes are caught",
    unit: "short",
    queries: {
      caught: `sum(${METRIC}installed${JOB})`,
      agents: `count(${METRIC}installed${JOB})`,
    },
  },
  {
    title: "Kernel settings changed by others",
    unit: "short",
    queries: {
      "{{node}} {{sysctl}}": `sum by (node, sysctl) (increase(${METRIC}sysctl_drift_total${JOB}[$__rate_interval]))`,
    },
  },
];

const WIDTH = 12;
const HEIGHT = 8;

/** Grafana's JSON model, for version 10 and later. */
export function renderDashboard(): string {
  const datasource = { type: "prometheus", uid: "${datasource}" };
  const panels = DASHBOARD_PANELS.map(({ title, unit, queries }, index) => ({
    id: index + 1,
    title,
    type: "timeseries",
    datasource,
    gridPos: {
      x: (index % 2) * WIDTH,
      y: Math.floor(index / 2) * HEIGHT,
      w: WIDTH,
      h: HEIGHT,
    },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: Object.entries(queries).map(([legendFormat, expr], query) => ({
      refId: String.fromCodePoint(65 + query),
      datasource,
      expr,
      legendFormat,
    })),
  }));
  const templating = {
    list: [
      { name: "datasource", type: "datasource", query: "prometheus" },
      {
        name: "job",
        type: "query",
        datasource,
        query: { query: `label_values(${METRIC}build_info, job)`, refId: "job" },
        includeAll: true,
        multi: true,
        refresh: 2,
      },
    ],
  };
  const dashboard = {
    uid: "core-dump-handler",
    title: "Core dumps",
    tags: ["core-dump-handler"],
    schemaVersion: 39,
    time: { from: "now-24h", to: "now" },
    templating,
    panels,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
