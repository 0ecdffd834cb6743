// What a pod's annotations ask for, where the owner of the cluster lets pods decide (POD_POLICY). A pod may ask for
// less than the cluster's settings give it, never for more. Whoever writes pods writes these values: each is short, of a
// few forms, or ignored with a complaint.
import type { ComposerSettings } from "./composer-settings.ts";
import { byteSize, choice, describeComplaint, readSettings } from "./setting.ts";
import { CORE_CONTENTS, type CoreContent } from "../model/core-content.ts";
import { DUMP_PRIORITIES, type DumpPriority } from "../model/dump-priority.ts";

/** What the annotations' names begin with. */
export const ANNOTATION_PREFIX = "core-dump-handler/";
/** How a complaint about one begins. */
export const ANNOTATION_COMPLAINT = `annotation ${ANNOTATION_PREFIX}`;
/** Longer than any right value. */
const VALUE_MAX_CHARACTERS = 256;

const [CONTENT, SIZE, COLLECT, PRIORITY] = [
  "core-content",
  "max-core-size",
  "collect",
  "priority",
] as const;

const SETTINGS = {
  [CONTENT]: choice<CoreContent>("full", CORE_CONTENTS),
  [SIZE]: byteSize(0, { min: "1", max: "1024Ti", zero: false }),
  [COLLECT]: choice("true", ["true", "false"]),
  [PRIORITY]: choice<DumpPriority>("normal", DUMP_PRIORITIES),
};

/** A pod's wishes, within the cluster's limits. */
export interface PodPolicy {
  content: CoreContent;
  /** Bytes of core after which the dump is cut; 0 is no limit. */
  maxCoreBytes: number;
  collect: boolean;
  priority: DumpPriority;
  /** Annotations that are ignored, and why, one line each. */
  complaints: string[];
}

type Limits = Pick<ComposerSettings, "CORE_CONTENT" | "MAX_CORE_SIZE">;

/** The policy of a pod that asks for nothing. */
export function clusterPolicy({ CORE_CONTENT, MAX_CORE_SIZE }: Limits): PodPolicy {
  return {
    content: CORE_CONTENT,
    maxCoreBytes: MAX_CORE_SIZE,
    collect: true,
    priority: "normal",
    complaints: [],
  };
}

/** Reads a pod's annotations. Never throws. */
export function readPodPolicy(
  annotations: Readonly<Record<string, string>>,
  limits: Limits,
): PodPolicy {
  const source = Object.fromEntries(
    Object.keys(SETTINGS).map((name) => [
      name,
      annotations[ANNOTATION_PREFIX + name]?.slice(0, VALUE_MAX_CHARACTERS),
    ]),
  );
  const { values, complaints } = readSettings(SETTINGS, source);
  const isRight = (name: string) =>
    (source[name] ?? "").trim() !== "" && complaints.every(({ variable }) => variable !== name);
  const policy = clusterPolicy(limits);
  policy.complaints = complaints.map((complaint) =>
    describeComplaint({ ...complaint, variable: ANNOTATION_COMPLAINT + complaint.variable }),
  );
  const refuse = (name: string, most: string | number) =>
    policy.complaints.push(
      `${ANNOTATION_COMPLAINT}${name} is ${JSON.stringify(source[name])}; the cluster's settings allow ${most}`,
    );
  if (isRight(CONTENT)) {
    if (isMore(values[CONTENT], limits.CORE_CONTENT)) refuse(CONTENT, limits.CORE_CONTENT);
    else policy.content = values[CONTENT];
  }
  if (isRight(SIZE)) {
    const most = limits.MAX_CORE_SIZE;
    if (most > 0 && values[SIZE] > most) refuse(SIZE, most);
    else policy.maxCoreBytes = values[SIZE];
  }
  if (isRight(COLLECT)) policy.collect = values[COLLECT] === "true";
  if (isRight(PRIORITY)) policy.priority = values[PRIORITY];
  return policy;
}

const FROM_LEAST: readonly CoreContent[] = ["stacks", "auto", "full"];

function isMore(wanted: CoreContent, most: CoreContent): boolean {
  return FROM_LEAST.indexOf(wanted) > FROM_LEAST.indexOf(most);
}
