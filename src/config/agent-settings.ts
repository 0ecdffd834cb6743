// The agent's environment (docs/contract.md, section 4): its own settings, and the composer's as COMP_*.
import { AppError } from "../model/app-error.ts";
import { CAPTURE_MODES } from "../model/capture-mode.ts";
import { parseStoreUrl } from "../model/store-url.ts";
import {
  COMPOSER_SETTINGS,
  LOG_LEVELS,
  OTHER_LOG_LEVELS,
  contradictions,
  type ComposerSettings,
} from "./composer-settings.ts";
import { NOTIFY_SETTINGS } from "./notify-settings.ts";
import { OBSERVER_SETTINGS } from "./observer-settings.ts";
import { SCHEDULE_SETTINGS } from "./schedule-settings.ts";
import {
  byteSize,
  choice,
  describeComplaint,
  flag,
  formerNames,
  integer,
  path,
  readSettings,
  text,
  type Complaint,
  type Setting,
  type SettingShape,
  type SettingValues,
} from "./setting.ts";
import { STORE_SETTINGS } from "./store-settings.ts";

const AGENT_SETTINGS = {
  HOST_DIR: path("/var/mnt/core-dump-handler"),
  /** Default: HOST_DIR/cores. */
  CORE_DIR: path(""),
  /** Default: HOST_DIR/events; COMP_CORE_EVENT_DIR is the name in older documents. */
  EVENT_DIR: path(""),
  COMP_CORE_EVENT_DIR: path(""),
  /** The group that may read and remove finished dumps and events; null: root alone. */
  CORE_GROUP: integer<null>(null, { min: 1, max: 4_294_967_294, unit: "group id" }),
  SUID_DUMPABLE: integer(2, { min: 0, max: 2, unit: "mode" }),
  CORE_PIPE_LIMIT: integer(128, { min: 0, max: 65_536, unit: "dumps at once" }),
  /** The capture mode; auto takes the first one that a canary proves on this host (src/agent/capture/choice.ts). */
  CAPTURE_MODE: choice("auto", ["auto", ...CAPTURE_MODES]),
  /** For socket capture: the kernel's send buffer in bytes (src/agent/capture/send-buffer.ts); 0 leaves it as it is. */
  SOCKET_SEND_BUFFER: byteSize(0, { min: "64Ki", max: "64Mi" }),
  /** The variant that the agent installs; auto takes the first one that works on the host. */
  VENDOR: choice("auto", ["auto", "default", "rhel7", "musl", "self-contained"]),
  /**
   * What becomes of the core_pattern that the agent finds: replaced, or kept in a chain, where the composer passes the
   * cores of processes outside containers on to it.
   */
  PREVIOUS_HANDLER: choice("replace", ["replace", "chain"]),
  DEPLOY_CRIO_CONFIG: flag(false),
  DEPLOY_CRIO_EXE: flag(false),
  CRIO_ENDPOINT: text("unix:///run/containerd/containerd.sock"),
  /** Milliseconds between sweeps; 0 is off. */
  INTERVAL: integer(0, { min: 0, max: 2_147_483_647, unit: "milliseconds" }),
  ...SCHEDULE_SETTINGS,
  USE_INOTIFY: flag(false),
  ...STORE_SETTINGS,
  ...OBSERVER_SETTINGS,
  ...NOTIFY_SETTINGS,
  LOG_LEVEL: choice("Info", LOG_LEVELS, OTHER_LOG_LEVELS),
  LOG_FORMAT: choice("text", ["text", "json"]),
  /**
   * Where the host's /proc/sys stands, as PROC_ROOT/sys. A container that is not privileged sees its own
   * /proc/sys read-only; the chart mounts just the three files of model/sysctls.ts below /host/proc.
   */
  PROC_ROOT: path("/proc"),
} as const;

/** Which agent variable feeds a key of the composer's `.env`, where it is not COMP_<key>. */
const FED_BY: Partial<Record<keyof ComposerSettings, string>> = {
  USE_CRIO_CONF: "DEPLOY_CRIO_CONFIG",
  EVENT_DIRECTORY: "EVENT_DIR",
  CRIO_ENDPOINT: "CRIO_ENDPOINT",
  CORE_DIR: "CORE_DIR",
  // The agent writes the pattern that it finds in place of the variable's value (previous-pattern.ts).
  PREVIOUS_HANDLER: "PREVIOUS_HANDLER",
  NODE_NAME: "NODE_NAME",
  STORE_KEY_TEMPLATE: "STORE_KEY_TEMPLATE",
  CLUSTER_NAME: "CLUSTER_NAME",
};

/** All of the agent's settings. */
export type AgentSettings = SettingValues<typeof AGENT_SETTINGS> & {
  /** What the agent writes to HOST_DIR/.env. */
  composer: ComposerSettings;
};

/** Returns the names of all variables that the agent reads, in the table's order. */
export function agentVariables(): string[] {
  return [...Object.keys(AGENT_SETTINGS), ...Object.keys(composerTable())];
}

/** Names of earlier versions that the agent still reads. */
export function formerVariables(): string[] {
  return formerNames(AGENT_SETTINGS);
}

/** Returns a variable's setting; undefined for an unknown variable. For the chart's schema and the pages. */
export function settingOf(variable: string): Setting<unknown> | undefined {
  const table: Readonly<Record<string, Setting<unknown>>> = {
    ...AGENT_SETTINGS,
    ...composerTable(),
  };
  return table[variable];
}

/**
 * Returns the values that a variable of the agent allows, for the chart's schema; undefined where it allows any text,
 * and for an unknown variable.
 */
export function shapeOfVariable(variable: string): SettingShape | undefined {
  return settingOf(variable)?.shape;
}

/**
 * Reads the agent's settings. Throws one AppError "configuration" that lists every problem.
 */
export function readAgentSettings(
  source: Readonly<Record<string, string | undefined>>,
): AgentSettings {
  const own = readSettings(AGENT_SETTINGS, source);
  const composerSource = readSettings(composerTable(), source);
  const forComposer = stripPrefix(composerSource.values);
  const complaints = [
    ...own.complaints,
    ...composerSource.complaints,
    ...combined(own.values),
    ...contradictions({ ...COMPOSER_DEFAULTS, ...forComposer }, "COMP_"),
  ];
  if (complaints.length > 0)
    throw new AppError("configuration", "wrong settings, nothing was changed", {
      faults: complaints.map(describeComplaint),
    });
  const CORE_DIR = own.values.CORE_DIR || `${own.values.HOST_DIR}/cores`;
  const EVENT_DIR =
    own.values.EVENT_DIR || own.values.COMP_CORE_EVENT_DIR || `${own.values.HOST_DIR}/events`;
  const composer: ComposerSettings = {
    ...COMPOSER_DEFAULTS,
    ...forComposer,
    USE_CRIO_CONF: own.values.DEPLOY_CRIO_CONFIG,
    EVENT_DIRECTORY: EVENT_DIR,
    CRIO_ENDPOINT: own.values.CRIO_ENDPOINT,
    NODE_NAME: own.values.NODE_NAME,
    STORE_KEY_TEMPLATE: own.values.STORE_KEY_TEMPLATE,
    CLUSTER_NAME: own.values.CLUSTER_NAME,
    CORE_DIR,
  };
  return { ...own.values, CORE_DIR, EVENT_DIR, composer };
}

/** The few settings that a removal and the listener need. */
export type HostSettings = Pick<AgentSettings, keyof typeof HOST_SETTINGS>;

/**
 * Reads only the settings that a removal and the listener need: the places on this host and the kernel's settings. A
 * wrong value of any other setting does not stop them. Throws AppError "configuration" for a wrong value of one of
 * these.
 */
export function readHostSettings(
  source: Readonly<Record<string, string | undefined>>,
): HostSettings {
  const names = Object.keys(HOST_SETTINGS);
  return readAgentSettings(Object.fromEntries(names.map((name) => [name, source[name]])));
}

const HOST_SETTINGS = {
  HOST_DIR: true,
  CORE_DIR: true,
  EVENT_DIR: true,
  COMP_CORE_EVENT_DIR: true,
  PROC_ROOT: true,
  CORE_PIPE_LIMIT: true,
  SUID_DUMPABLE: true,
  SOCKET_SEND_BUFFER: true,
  LOG_LEVEL: true,
  LOG_FORMAT: true,
  POD_NAMESPACE: true,
  DAEMONSET_NAME: true,
} satisfies Partial<Record<keyof typeof AGENT_SETTINGS, true>>;

const COMPOSER_DEFAULTS = readSettings(COMPOSER_SETTINGS, {}).values;

function composerTable(): Record<string, Setting<unknown>> {
  const entries = Object.entries(COMPOSER_SETTINGS).filter(([key]) => !(key in FED_BY));
  return Object.fromEntries(entries.map(([key, setting]) => [`COMP_${key}`, setting]));
}

function stripPrefix(values: Record<string, unknown>): Partial<ComposerSettings> {
  // The schema of the key without COMP_ has read each COMP_ key.
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key.slice("COMP_".length), value]),
  ) as Partial<ComposerSettings>;
}

/** Complains about settings that are right alone and wrong together. */
function combined(values: SettingValues<typeof AGENT_SETTINGS>): Complaint[] {
  const complaints: Complaint[] = [];
  if ((values.S3_ACCESS_KEY === "") !== (values.S3_SECRET === "")) {
    const [variable, other] =
      values.S3_ACCESS_KEY === "" ? ["S3_ACCESS_KEY", "S3_SECRET"] : ["S3_SECRET", "S3_ACCESS_KEY"];
    complaints.push({ variable, value: "", expected: `a value, as ${other} has one (or neither)` });
  }
  const { STORE_URL: value, S3_BUCKET_NAME: bucket } = values;
  const address = parseStoreUrl(value);
  // A directory has always won over the bucket's name, which IBM's charts fill in.
  const isOther =
    address !== undefined &&
    address.kind !== "directory" &&
    !(address.kind === "s3" && address.bucket === bucket);
  if (bucket !== "" && isOther)
    complaints.push({
      variable: "STORE_URL",
      value,
      expected: `the bucket of S3_BUCKET_NAME (${bucket}), or S3_BUCKET_NAME not set`,
    });
  return complaints;
}
