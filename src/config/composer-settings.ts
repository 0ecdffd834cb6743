// The settings in HOST_DIR/.env, which the agent writes and the composer reads (docs/contract.md, section 3). The
// agent's variables for them have COMP_ before these names, so one table serves both.
import { resolve } from "node:path";
import * as v from "valibot";
import { CORE_CONTENTS } from "../model/core-content.ts";
import type { CompressionSetting } from "../model/core-compression.ts";
import { DEFAULT_TEMPLATE, unknownTemplateFields } from "../model/dump-name.ts";
import { keyTemplate } from "./key-template.ts";
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

/** The values of a log level's setting. */
export const LOG_LEVELS = ["Debug", "Info", "Warn", "Error"] as const;
/** IBM's other two levels: the most that there is, and the least. What went wrong with a crash is always logged. */
export const OTHER_LOG_LEVELS = { Trace: "Debug", Off: "Error" } as const;

const fileNameTemplate: Setting<string> = {
  schema: v.pipe(
    v.string(),
    v.check((template) => unknownTemplateFields(template).length === 0),
  ),
  fallback: DEFAULT_TEMPLATE,
  expected:
    "text with the fields {uuid} {timestamp} {hostname} {exe_name} {pid} {signal} {limit_size} {pathname} {namespace} {podname} {fingerprint}",
};

function compression(): Setting<CompressionSetting> {
  const words = ["true", "false", "zstd"] as const;
  const { schema } = flag(true);
  return {
    schema: v.union([v.pipe(v.string(), v.toLowerCase(), v.literal("zstd")), schema]),
    fallback: true,
    expected: `one of ${words.join(", ")}`,
  };
}

/** TIMEOUT's default. */
export const TIMEOUT_DEFAULT_SECONDS = 600;
/** TIMEOUT's highest value: a day. */
export const TIMEOUT_MAX_SECONDS = 86_400;

/** Every setting of the composer, by its key in `.env`. */
export const COMPOSER_SETTINGS = {
  LOG_LEVEL: choice("Warn", LOG_LEVELS, OTHER_LOG_LEVELS),
  IGNORE_CRIO: flag(false),
  INCLUDE_PROC_INFO: flag(false),
  CRIO_IMAGE_CMD: choice("img", ["img", "images"]),
  USE_CRIO_CONF: flag(false),
  FILENAME_TEMPLATE: fileNameTemplate,
  /** How many of its last lines a dump has from each container's log. */
  LOG_LENGTH: integer(500, { min: 0, max: 1_000_000, unit: "lines" }),
  POD_SELECTOR_LABEL: text(""),
  /** The whole composer's deadline. */
  TIMEOUT: integer(TIMEOUT_DEFAULT_SECONDS, { min: 1, max: TIMEOUT_MAX_SECONDS, unit: "seconds" }),
  /** How a dump's entries are compressed: true deflates them, false stores them, zstd compresses the core with zstd. */
  COMPRESSION: compression(),
  CORE_EVENTS: flag(false),
  EVENT_DIRECTORY: path(""),
  CRIO_ENDPOINT: text(""),
  /**
   * Who asks the runtime about the pod: the composer's own CRI client, crictl, or the first of them that gets an
   * answer.
   */
  CRI_CLIENT: choice("auto", ["native", "crictl", "auto"]),
  /** How long the container runtime may take in all. */
  CRI_TIMEOUT: integer(5, { min: 1, max: 600, unit: "seconds" }),
  CORE_DIR: path(""),
  NAMESPACE_INCLUDE: text(""),
  NAMESPACE_EXCLUDE: text(""),
  /** Whether a dump has the /proc files of a process that is not dumpable (%d other than 1). */
  INCLUDE_UNDUMPABLE_PROC_INFO: flag(false),
  /** Bytes of core after which a dump is cut; 0 is no limit. */
  MAX_CORE_SIZE: byteSize(0),
  /** Whether a dump has all of the core, only the stacks, or only the stacks of cores over FULL_CORE_MAX. */
  CORE_CONTENT: choice("full", CORE_CONTENTS),
  FULL_CORE_MAX: byteSize(4 * 2 ** 30),
  /** Whether a pod's annotations may ask for less than these settings (src/model/pod-policy.ts). */
  POD_POLICY: flag(false),
  /** Bytes that the composer leaves free on CORE_DIR's filesystem, whatever else is set. */
  DISK_RESERVE: byteSize(64 * 2 ** 20),
  /** What CORE_DIR may hold; beyond it, older dumps are evicted (src/model/eviction.ts). 100% is no limit. */
  DISK_QUOTA: diskShare("10%"),
  /** What stays free on CORE_DIR's filesystem; below it, older dumps are evicted. 0 is no floor. */
  DISK_FREE: diskShare("15%"),
  /**
   * What the spools of all dumps under way may take, a share of what the quota leaves or a size; 0 is none. Into a spool
   * goes what the composer has read and not yet compressed, so that the crashed process does not wait for that.
   */
  SPOOL_MAX: diskShare("25%"),
  /** Dumps that one workload may leave in CRASH_LOOP_WINDOW; 0 turns this limit and the namespace's off. */
  CRASH_LOOP_LIMIT: integer(250, { min: 0, max: 10_000, unit: "dumps" }),
  /** Dumps that all workloads of one namespace may leave in CRASH_LOOP_WINDOW; 0 is no limit. */
  CRASH_LOOP_NAMESPACE_LIMIT: integer(1000, { min: 0, max: 100_000, unit: "dumps" }),
  CRASH_LOOP_WINDOW: integer(3600, { min: 1, max: 2_592_000, unit: "seconds" }),
  /** Dumps of one namespace that composers write at a time; half of CORE_PIPE_LIMIT is the most. 0 is no limit. */
  DUMPS_AT_ONCE: integer(32, { min: 0, max: 10_000, unit: "dumps" }),
  /** The previous core_pattern: the composer passes cores of processes outside containers on to its program. */
  PREVIOUS_HANDLER: text(""),
  /** Each dump gets a summary of why it crashed, made by a process of its own that ends within EXPLAIN_TIMEOUT. */
  EXPLAIN: flag(true),
  EXPLAIN_TIMEOUT: integer(5, { min: 1, max: 60, unit: "seconds" }),
  /** Each dump gets a page for people (src/report/). */
  REPORT: flag(true),
  /** How the agent names the dump in the store; the report tells its key. */
  STORE_KEY_TEMPLATE: keyTemplate,
  CLUSTER_NAME: text(""),
  /** Which of the files that a crashed process had mapped are kept for debuggers: none, the program, or libraries too. */
  MODULES: choice("off", ["off", "program", "all"]),
  /** Larger files are not kept. */
  MODULE_MAX_SIZE: byteSize(512 * 2 ** 20, { min: "1Mi", max: "4Gi", zero: false }),
  /**
   * Whole dumps of one bug that each tenant may leave in CRASH_LOOP_WINDOW; the next ones have no core. 0 keeps all
   * cores. Needs EXPLAIN.
   */
  KEEP_PER_BUG: integer(0, { min: 0, max: 50, unit: "dumps" }),
  /** The node's name in dumps; empty means the host name. Kubernetes may know a node by another name. */
  NODE_NAME: text(""),
} as const;

/** The composer's settings, parsed. */
export type ComposerSettings = SettingValues<typeof COMPOSER_SETTINGS>;

/** Returns where dumps go: CORE_DIR, else the composer's -d (below HOST_DIR if relative), else HOST_DIR/cores. */
export function coreDirOf(
  hostDir: string,
  { CORE_DIR }: Pick<ComposerSettings, "CORE_DIR">,
  relative = "",
): string {
  return CORE_DIR || resolve(hostDir, relative || "cores");
}

/**
 * Reads the composer's settings from the parsed `.env`. A wrong value keeps its default and is listed. Never throws.
 */
export function readComposerSettings(source: Readonly<Record<string, string | undefined>>): {
  settings: ComposerSettings;
  complaints: Complaint[];
} {
  const { values, complaints } = readSettings(COMPOSER_SETTINGS, source);
  return { settings: values, complaints: [...complaints, ...contradictions(values)] };
}

/** Complains about settings that are right alone and wrong together. `prefix` goes before their names. */
export function contradictions(
  { KEEP_PER_BUG, EXPLAIN }: Pick<ComposerSettings, "KEEP_PER_BUG" | "EXPLAIN">,
  prefix = "",
): Complaint[] {
  if (KEEP_PER_BUG === 0 || EXPLAIN) return [];
  const expected = `0 where ${prefix}EXPLAIN is false, as no bug is known then`;
  return [{ variable: `${prefix}KEEP_PER_BUG`, value: String(KEEP_PER_BUG), expected }];
}
