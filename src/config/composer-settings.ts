// HOST_DIR/.env: what the agent tells the composer (docs/contract.md, section 3). The agent's own variables
// are these with COMP_ before them, so one table serves the writer and the reader.
import * as v from "valibot";
import { DEFAULT_TEMPLATE, unknownTemplateFields } from "../model/dump-name.ts";
import {
  byteSize,
  choice,
  diskShare,
  flag,
  integer,
  path,
  readSettings,
  text,
  type Complaint,
  type Setting,
  type SettingValues,
} from "./setting.ts";

export const LOG_LEVELS = ["Debug", "Info", "Warn", "Error"] as const;

const fileNameTemplate: Setting<string> = {
  schema: v.pipe(
    v.string(),
    v.check((template) => unknownTemplateFields(template).length === 0),
  ),
  fallback: DEFAULT_TEMPLATE,
  expected:
    "text with the fields {uuid} {timestamp} {hostname} {exe_name} {pid} {signal} {limit_size} {pathname} {namespace} {podname}",
};

export const TIMEOUT_DEFAULT_SECONDS = 600;
export const TIMEOUT_MAX_SECONDS = 86_400;

export const COMPOSER_SETTINGS = {
  LOG_LEVEL: choice("Warn", LOG_LEVELS),
  IGNORE_CRIO: flag(false),
  INCLUDE_PROC_INFO: flag(false),
  CRIO_IMAGE_CMD: choice("img", ["img", "images"]),
  USE_CRIO_CONF: flag(false),
  FILENAME_TEMPLATE: fileNameTemplate,
  /** Lines of each container's log. */
  LOG_LENGTH: integer(500, { min: 0, max: 1_000_000, unit: "lines" }),
  POD_SELECTOR_LABEL: text(""),
  /** The whole composer's deadline. */
  TIMEOUT: integer(TIMEOUT_DEFAULT_SECONDS, { min: 1, max: TIMEOUT_MAX_SECONDS, unit: "seconds" }),
  COMPRESSION: flag(true),
  CORE_EVENTS: flag(false),
  EVENT_DIRECTORY: path(""),
  CRIO_ENDPOINT: text(""),
  /** Who is asked about the pod: our own CRI client, crictl, or the first that answers. */
  CRI_CLIENT: choice("auto", ["native", "crictl", "auto"]),
  /** How long the container runtime may take in all. */
  CRI_TIMEOUT: integer(5, { min: 1, max: 600, unit: "seconds" }),
  CORE_DIR: path(""),
  NAMESPACE_INCLUDE: text(""),
  NAMESPACE_EXCLUDE: text(""),
  /** /proc files of a process that the kernel calls not dumpable (%d other than 1). */
  INCLUDE_UNDUMPABLE_PROC_INFO: flag(false),
  /** Bytes of core after which a dump is cut; 0 is no limit. */
  MAX_CORE_SIZE: byteSize(0),
  /** Bytes that stay free on CORE_DIR's filesystem, whatever else is set. */
  DISK_RESERVE: byteSize(64 * 2 ** 20),
  /** What CORE_DIR may hold; older dumps give way to new ones (model/eviction.ts). 100% is no limit. */
  DISK_QUOTA: diskShare("10%"),
  /** What must stay free on CORE_DIR's filesystem before older dumps give way. 0 is no floor. */
  DISK_FREE: diskShare("15%"),
  /** Dumps that one workload may leave in CRASH_LOOP_WINDOW; 0 is no limit, for a namespace neither. */
  CRASH_LOOP_LIMIT: integer(250, { min: 0, max: 10_000, unit: "dumps" }),
  /** Dumps that all workloads of one namespace may leave in CRASH_LOOP_WINDOW; 0 is no limit. */
  CRASH_LOOP_NAMESPACE_LIMIT: integer(1000, { min: 0, max: 100_000, unit: "dumps" }),
  CRASH_LOOP_WINDOW: integer(3600, { min: 1, max: 2_592_000, unit: "seconds" }),
  /**
   * Dumps of one namespace that may be under way at a time, and never more than half of CORE_PIPE_LIMIT; 0 is no limit.
   */
  DUMPS_AT_ONCE: integer(32, { min: 0, max: 10_000, unit: "dumps" }),
  /** The core_pattern that stood here before: its program gets the cores of processes outside containers. */
  PREVIOUS_HANDLER: text(""),
  /** What dumps call their node; empty: the host name. Kubernetes may know a node by another name. */
  NODE_NAME: text(""),
} as const;

export type ComposerSettings = SettingValues<typeof COMPOSER_SETTINGS>;

/** The composer's settings from the parsed `.env`; what is wrong keeps its default and is listed. */
export function readComposerSettings(source: Readonly<Record<string, string | undefined>>): {
  settings: ComposerSettings;
  complaints: Complaint[];
} {
  const { values, complaints } = readSettings(COMPOSER_SETTINGS, source);
  return { settings: values, complaints };
}
