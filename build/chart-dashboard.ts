// The Grafana dashboard as a table of its panels; chart-generate.ts writes it to chart/dashboards/.

interface Panel {
  title: string;
  unit: "short" | "bytes" | "s";
  /** PromQL by legend. $job, $node and $namespace are variables of the dashboard. */
  queries: Record<string, string>;
  /** What a point of the panel links to. */
  links?: readonly { title: string; url: string }[];
}

const NODE = 'job=~"$job",node=~"$node"';
const ALL = `{${NODE}}`;
/** Of metrics that know the crashed pod's namespace. */
const THEIRS = `{${NODE},namespace=~"$namespace"}`;
const METRIC = "core_dump_handler_";
const RATE = "[$__rate_interval]";
const RANGE = "[$__range]";

/** `serve` or the browser of the chart, at the address in the dashboard's text box. */
const CRASHES = [
  {
    title: "Its crashes, with each dump's key and report",
    url: "${browser}/?namespace=${__field.labels.namespace}",
  },
];

/** One number each, in the first row. */
export const DASHBOARD_STATS: readonly Panel[] = [
  {
    title: "Crashes",
    unit: "short",
    queries: { crashes: `sum(increase(${METRIC}crashes_total${ALL}${RANGE}))` },
  },
  {
    title: "Cut short",
    unit: "short",
    queries: { truncated: `sum(increase(${METRIC}dumps_truncated_total${ALL}${RANGE}))` },
  },
  {
    title: "Left no dump",
    unit: "short",
    queries: {
      lost: `sum(increase(${METRIC}dumps_total{${NODE},outcome=~"failed|unaccounted"}${RANGE}))`,
    },
  },
  {
    title: "Waiting for delivery",
    unit: "bytes",
    queries: { backlog: `sum(${METRIC}backlog_bytes${ALL})` },
  },
  {
    title: "Nodes not ready",
    unit: "short",
    queries: {
      nodes: `count(${METRIC}installed${ALL} == 0 or min by (node) (${METRIC}doctor_check${ALL}) == 0) or vector(0)`,
    },
  },
];

export const DASHBOARD_PANELS: readonly Panel[] = [
  {
    title: "Crashes by what became of them",
    unit: "short",
    queries: { "{{outcome}}": `sum by (outcome) (increase(${METRIC}dumps_total${THEIRS}${RATE}))` },
  },
  {
    title: "Crashes by namespace and signal",
    unit: "short",
    queries: {
      "{{namespace}} {{signal}}": `sum by (namespace, signal) (increase(${METRIC}dumps_total${THEIRS}${RATE}))`,
    },
    links: CRASHES,
  },
  {
    title: "How long crashed processes were held",
    unit: "s",
    queries: Object.fromEntries(
      [0.5, 0.95, 0.99].map((quantile) => [
        `${quantile * 100} %`,
        `histogram_quantile(${quantile}, sum by (le) (rate(${METRIC}drain_seconds_bucket${ALL}${RATE})))`,
      ]),
    ),
  },
  {
    title: "Lost or cut short",
    unit: "short",
    queries: {
      "truncated by {{by}}": `sum by (by) (increase(${METRIC}dumps_truncated_total${ALL}${RATE}))`,
      suppressed: `sum(increase(${METRIC}dumps_suppressed_total${THEIRS}${RATE}))`,
      evicted: `sum(increase(${METRIC}dumps_evicted_total${THEIRS}${RATE}))`,
      "dropped by the kernel": `sum(increase(${METRIC}core_pipe_limit_drops_total${ALL}${RATE}))`,
      "no listener": `sum(increase(${METRIC}socket_lost_total${ALL}${RATE}))`,
    },
  },
  {
    title: "Waiting for delivery",
    unit: "bytes",
    queries: { "{{node}}": `sum by (node) (${METRIC}backlog_bytes${ALL})` },
  },
  {
    title: "Age of the oldest waiting dump",
    unit: "s",
    queries: { "{{node}}": `max by (node) (${METRIC}backlog_oldest_age_seconds${ALL})` },
  },
  {
    title: "Deliveries",
    unit: "short",
    queries: {
      "{{outcome}}": `sum by (outcome) (increase(${METRIC}deliveries_total${ALL}${RATE}))`,
    },
  },
  {
    title: "Bytes from the kernel and in zips",
    unit: "bytes",
    queries: {
      cores: `sum(increase(${METRIC}core_bytes_total${ALL}${RATE}))`,
      zips: `sum(increase(${METRIC}zip_bytes_total${ALL}${RATE}))`,
    },
  },
  {
    title: "Checks of the doctor that fail",
    unit: "short",
    queries: { "{{check}}": `count by (check) (${METRIC}doctor_check${ALL} == 0)` },
  },
  {
    title: "Nodes where crashes are caught",
    unit: "short",
    queries: {
      caught: `sum(${METRIC}installed${ALL})`,
      agents: `count(${METRIC}installed${ALL})`,
    },
  },
  {
    title: "Kernel settings changed by others",
    unit: "short",
    queries: {
      "{{node}} {{sysctl}}": `sum by (node, sysctl) (increase(${METRIC}sysctl_drift_total${ALL}${RATE}))`,
    },
  },
  {
    title: "Times no listener answered",
    unit: "short",
    queries: { "{{node}}": `sum by (node) (increase(${METRIC}listener_lost_total${ALL}${RATE}))` },
  },
];

const COLUMNS = 24;
const WIDTH = 12;
const HEIGHT = 8;
const STAT_HEIGHT = 4;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

/** Grafana's JSON model, for version 10 and later. */
export function renderDashboard(): string {
  const statWidth = Math.floor(COLUMNS / DASHBOARD_STATS.length);
  const stats = DASHBOARD_STATS.map((panel, index) => ({
    ...renderPanel(panel, index + 1, "stat"),
    gridPos: { x: index * statWidth, y: 0, w: statWidth, h: STAT_HEIGHT },
  }));
  const panels = DASHBOARD_PANELS.map((panel, index) => ({
    ...renderPanel(panel, stats.length + index + 1, "timeseries"),
    gridPos: {
      x: (index % 2) * WIDTH,
      y: STAT_HEIGHT + Math.floor(index / 2) * HEIGHT,
      w: WIDTH,
      h: HEIGHT,
    },
  }));
  const dashboard = {
    uid: "core-dump-handler",
    title: "Core dumps",
    tags: ["core-dump-handler"],
    schemaVersion: 39,
    time: { from: "now-24h", to: "now" },
    templating: { list: variables() },
    panels: [...stats, ...panels],
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function renderPanel({ title, unit, queries, links = [] }: Panel, id: number, type: string) {
  return {
    id,
    title,
    type,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: { unit, min: 0, links: links.map((link) => ({ ...link, targetBlank: true })) },
      overrides: [],
    },
    targets: Object.entries(queries).map(([legendFormat, expr], query) => ({
      refId: String.fromCodePoint(65 + query),
      datasource: DATASOURCE,
      expr,
      legendFormat,
    })),
  };
}

function variables() {
  const labels = (name: string, metric: string) => ({
    name,
    type: "query",
    datasource: DATASOURCE,
    query: { query: `label_values(${METRIC}${metric}, ${name})`, refId: name },
    includeAll: true,
    multi: true,
    // All is every value, also of what appears later.
    allValue: ".*",
    current: { text: "All", value: "$__all" },
    refresh: 2,
  });
  return [
    { name: "datasource", type: "datasource", query: "prometheus" },
    labels("job", "build_info"),
    labels("node", "build_info"),
    labels("namespace", "dumps_total"),
    {
      name: "browser",
      label: "Address of core-dump-handler serve",
      type: "textbox",
      query: "http://127.0.0.1:8642",
      current: { text: "http://127.0.0.1:8642", value: "http://127.0.0.1:8642" },
    },
  ];
}
