// A stand-in for delivery that answers as told and remembers what it was given: for tests of what calls it.
import { basename } from "node:path";
import type { Delivery, DeliveryOutcome } from "../../src/agent/delivery/delivery.ts";

export interface FakeDelivery extends Delivery {
  /** The names handed over, in order. */
  given: string[];
}

/** `answers` by file name: an outcome, a function, or an error to throw; all others are delivered. */
export function fakeDelivery(
  answers: Record<string, DeliveryOutcome | Error | (() => Promise<DeliveryOutcome>)> = {},
): FakeDelivery {
  const given: string[] = [];
  return {
    given,
    describe: async () => "a stand-in",
    reclaim: async () => 0,
    close: () => {},
    async deliver(zipPath) {
      const name = basename(zipPath);
      given.push(name);
      const answer = answers[name] ?? { kind: "delivered", key: name, sizeBytes: 1 };
      if (answer instanceof Error) throw answer;
      return typeof answer === "function" ? answer() : answer;
    },
  };
}
