// T-modules.json: which files a crashed process had mapped, by build-id and content, so that a reader can prove that
// the file it found elsewhere is the one that was mapped. Also the lines in which `keep-modules` tells the composer.
import * as v from "valibot";
import { isModuleId, isSha256 } from "./module-id.ts";

const hexAddress = v.pipe(v.string(), v.regex(/^[0-9a-f]{1,16}$/));
const sha256 = v.nullable(v.pipe(v.string(), v.check(isSha256)));

const moduleSchema = v.object({
  /** The first mapping's addresses, in hex; `start` finds the module in the core. */
  start: hexAddress,
  end: hexAddress,
  /** As the process saw it. */
  path: v.string(),
  /** The key in the store (module-id.ts); null where neither build-id nor content is known. */
  id: v.nullable(v.pipe(v.string(), v.check(isModuleId))),
  build_id: v.nullable(v.string()),
  sha256,
  size_bytes: v.number(),
  /** Why it is not kept; null for one that is, or is known already. */
  left_out: v.nullable(v.string()),
});

/** One mapped program or library. */
export type ListedModule = v.InferOutput<typeof moduleSchema>;

const listSchema = v.object({ modules: v.array(moduleSchema) });

/** Writes the entry's JSON value. */
export function moduleList(modules: readonly ListedModule[]): { modules: ListedModule[] } {
  return { modules: [...modules] };
}

/** Parses the entry; undefined for what is none. */
export function parseModuleList(json: unknown): ListedModule[] | undefined {
  const parsed = v.safeParse(listSchema, json);
  return parsed.success ? parsed.output.modules : undefined;
}

/** What `keep-modules` finds out about the file behind one descriptor; null for a file that is no program. */
const answerSchema = v.object({
  /** Which of the descriptors, from 0. */
  index: v.number(),
  module: v.nullable(v.omit(moduleSchema, ["start", "end", "path"])),
});
/** One line of the answer. */
export type ModuleAnswer = v.InferOutput<typeof answerSchema>;

/** The last line of the answer. */
export const ALL_ANSWERED = "done";

/** Parses a line of the answer; undefined for any other line. */
export function parseModuleAnswer(line: string): ModuleAnswer | undefined {
  try {
    const parsed = v.safeParse(answerSchema, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
