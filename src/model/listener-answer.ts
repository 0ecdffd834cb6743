// What the listener answers to whoever connects without crashing: the agent asks so whether it is well.
import * as v from "valibot";
import { VERSION } from "./version.ts";

const answerSchema = v.object({
  version: v.string(),
  executable: v.string(),
  /** Pids in the listener's own pid namespace; the keeper is null when it is gone. */
  worker: v.number(),
  keeper: v.nullable(v.number()),
});

export type ListenerAnswer = v.InferOutput<typeof answerSchema>;

export function formatListenerAnswer(answer: Omit<ListenerAnswer, "version">): string {
  return `${JSON.stringify({ version: VERSION, ...answer })}\n`;
}

/** undefined for anything else. */
export function parseListenerAnswer(text: string): ListenerAnswer | undefined {
  try {
    return v.parse(answerSchema, JSON.parse(text));
  } catch {
    return undefined;
  }
}
