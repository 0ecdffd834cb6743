// What a promise failed with, as the one line that a user would see. Fails the test when it did not fail.
import { describeError } from "../../src/model/app-error.ts";

export async function failureOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome) return describeError(outcome.error);
  throw new Error(`expected a failure, got ${JSON.stringify(outcome.value)}`);
}
