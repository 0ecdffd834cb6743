import { expect, test } from "bun:test";
import { withRetries } from "../../../src/store/retry.ts";
import { failureOf, StoreError, type StoreFailure } from "../../../src/store/store-error.ts";
import { recordedLog } from "../../support/recorded-log.ts";

/** Work that fails so many times with this, and then succeeds. */
function failing(times: number, failure: StoreFailure, retryAfterMs = 0) {
  let calls = 0;
  const work = async () => {
    if (calls++ < times) throw new StoreError(failure, "scripted", { retryAfterMs });
    return "done";
  };
  return { work, calls: () => calls };
}

const options = () => ({ signal: new AbortController().signal, log: recordedLog() });

test("a failure that passes is tried again", async () => {
  const { work, calls } = failing(2, "server");
  expect(await withRetries(work, options())).toBe("done");
  expect(calls()).toBe(3);
});

test.each(["credentials", "no_store", "exists", "gone", "refused", "unverified", "away"] as const)(
  "%s is not tried again at once",
  async (failure) => {
    const { work, calls } = failing(1, failure);
    expect(failureOf(await withRetries(work, options()).catch((error: unknown) => error))).toBe(
      failure,
    );
    expect(calls()).toBe(1);
  },
);

test("an error that is not the store's is not tried again", async () => {
  let calls = 0;
  const work = async () => {
    calls++;
    throw new Error("a bug");
  };
  expect(withRetries(work, options())).rejects.toThrow("a bug");
  expect(calls).toBe(1);
});

test("a long pause that the store asks for ends the attempt instead of holding it up", async () => {
  const { work, calls } = failing(1, "throttled", 60_000);
  const error = await withRetries(work, options()).catch((thrown: unknown) => thrown);
  expect(error instanceof StoreError && error.retryAfterMs).toBe(60_000);
  expect(calls()).toBe(1);
});

test("a stop ends the waiting", async () => {
  const stop = new AbortController();
  const { work, calls } = failing(5, "throttled", 19_000);
  const waiting = withRetries(work, { ...options(), signal: stop.signal });
  stop.abort();
  expect(failureOf(await waiting.catch((error: unknown) => error))).toBe("aborted");
  expect(calls()).toBe(1);
});
