// docs/settings.md: each of the agent's variables with its chart value, default and allowed values. Written from the
// tables that the program itself reads, so that the page cannot differ from it.
import { agentVariables, settingOf } from "../src/config/agent-settings.ts";
import type { Setting } from "../src/config/setting.ts";
import type { ChartValue } from "./chart-value.ts";
import { CHART_VALUES, UNUSED_VARIABLES, WIRED_VARIABLES } from "./chart-values.ts";

/** The page's parts: the first one whose pattern fits a variable has it. */
const PARTS: readonly { title: string; has: RegExp }[] = [
  {
    title: "Where things are",
    has: /^(HOST_DIR|CORE_DIR|EVENT_DIR|COMP_CORE_EVENT_DIR|PROC_ROOT)$/,
  },
  {
    title: "How cores come",
    has: /^(CAPTURE_MODE|CORE_PIPE_LIMIT|SUID_DUMPABLE|SOCKET_|VENDOR|PREVIOUS_|CORE_PATTERN_)/,
  },
  { title: "When dumps are delivered", has: /^(INTERVAL|SCHEDULE|TZ|USE_INOTIFY)$/ },
  {
    title: "The store",
    has: /^(STORE_|S3_|AWS_|AZURE_|GOOGLE_|CLUSTER_NAME)/,
  },
  {
    title: "Whose crash it is",
    has: /^(CRIO_|DEPLOY_|COMP_(IGNORE_|INCLUDE_|CRI|POD_|NAMESPACE_|LOG_LENGTH))/,
  },
  {
    title: "The dump",
    has: /^COMP_(COMPRESSION|CORE_|FULL_|FILENAME_|TIMEOUT|EXPLAIN|REPORT|MODULE|SPOOL)/,
  },
  { title: "Watching it", has: /^(HTTP_|DOCTOR|KUBERNETES_EVENTS|LOG_|NOTIFY|COMP_LOG_LEVEL)/ },
  { title: "Limits", has: /^COMP_/ },
  { title: "What the chart fills in", has: /^(POD_|NODE_NAME|DAEMONSET_)/ },
];
const REST = "More";

const LEAD = `# Every setting

The agent reads these from its environment, then from a \`.env\` file beside its executable; the chart sets them from
its values. A blank value counts as unset. A wrong one ends the program with exit code 2 and a line that names the
variable, the value and what would be right, before anything was changed. Names that begin with \`COMP_\` are the
composer's: the agent writes them to HOST_DIR/.env without that prefix.

This page is written by \`npx -y bun@1.4.5 run chart\`. [values.md](values.md) goes the other way, from a chart value to
what it does and the test that shows it.
`;

/** Writes the page. Throws an Error for a variable that nothing describes. */
export function renderSettingsPage(): string {
  const values = new Map(
    CHART_VALUES.flatMap((value) => (value.variable ? [[value.variable, value]] : [])),
  );
  const titles = [...PARTS.map(({ title }) => title), REST];
  const parts = Map.groupBy(
    agentVariables(),
    (variable) => PARTS.find(({ has }) => has.test(variable))?.title ?? REST,
  );
  const sections = titles.flatMap((title) => {
    const variables = parts.get(title);
    if (variables === undefined) return [];
    return [`## ${title}`, ...variables.map((each) => describe(each, values.get(each)))];
  });
  return `${[LEAD, ...sections].join("\n\n")}\n`;
}

function describe(variable: string, value: ChartValue | undefined): string {
  const setting = settingOf(variable);
  const about = value?.about ?? wiredReason(variable);
  if (setting === undefined || about === undefined)
    throw new Error(`nothing describes ${variable}`);
  const facts = [
    value === undefined ? "no chart value" : `chart \`${value.path}\``,
    `default ${DERIVED[variable] ?? shownDefault(setting)}`,
    setting.expected,
    ...(setting.formerly === undefined ? [] : [`formerly \`${setting.formerly}\``]),
    ...(setting.secret === true ? ["secret"] : []),
  ];
  return [`### \`${variable}\``, escaped(about), `- ${facts.map(escaped).join("\n- ")}`].join(
    "\n\n",
  );
}

/** Defaults that follow from another setting. */
const DERIVED: Readonly<Record<string, string>> = {
  CORE_DIR: "`HOST_DIR/cores`",
  EVENT_DIR: "`HOST_DIR/events`",
};

function wiredReason(variable: string): string | undefined {
  const wired = WIRED_VARIABLES.find((each) => each.variable === variable)?.why;
  const reason = wired ?? UNUSED_VARIABLES[variable];
  return reason === undefined ? undefined : `${reason[0]?.toUpperCase()}${reason.slice(1)}.`;
}

const BINARY_UNITS = [
  ["Gi", 2 ** 30],
  ["Mi", 2 ** 20],
  ["Ki", 2 ** 10],
] as const;

function shownDefault({ fallback, shape }: Setting<unknown>): string {
  if (fallback === "") return "unset";
  const unit = BINARY_UNITS.find(
    ([, bytes]) => Number(fallback) > 0 && Number(fallback) % bytes === 0,
  );
  if (shape?.kind === "size" && unit !== undefined)
    return `\`${Number(fallback) / unit[1]}${unit[0]}\``;
  return `\`${String(fallback)}\``;
}

/** Keeps words such as {uuid} and <hex> from being read as markup. */
function escaped(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll("{{", "&#123;&#123;");
}
