// What the listener answers to a process that connects without crashing. The agent connects so to check that the
// listener works.
import * as v from "valibot";
import { VERSION } from "./version.ts";

const answerSchema = v.object({
  version: v.string(),
  executable: v.string(),
  /** Pids in the listener's own pid namespace; the keeper is null when it has ended. */
  worker: v.number(),
  keeper: v.nullable(v.number()),
});

/** The answer's fields. */
export type ListenerAnswer = v.InferOutput<typeof answerSchema>;

/** Writes the answer as one line of JSON, with this program's version. */
export function formatListenerAnswer(answer: Omit<ListenerAnswer, "version">): string {
  return `${JSON.stringify({ version: VERSION, ...answer })}\n`;
}

/** Parses an answer; undefined for any other text. */
export function parseListenerAnswer(text: string): ListenerAnswer | undefined {
  try {
    return v.parse(answerSchema, JSON.parse(text));
  } catch {
    return undefined;
  }
}
