// A listener that answers or not, as a test says.
import type { ListenerControl } from "../../src/agent/install/listener-control.ts";
import type { ListenerState } from "../../src/agent/install/listener-process.ts";

export interface FakeListener extends ListenerControl {
  now: ListenerState;
  /** Whether `ensure` brings one up. */
  starts: boolean;
  calls: string[];
}

export function fakeListener(starts = true): FakeListener {
  const fake: FakeListener = {
    now: "absent",
    starts,
    calls: [],
    ensure: async () => {
      fake.calls.push("ensure");
      if (fake.starts) fake.now = "answers";
      return fake.now === "answers";
    },
    state: async () => fake.now,
    kill: () => {
      fake.calls.push("kill");
      fake.now = "absent";
      return true;
    },
    stop: async () => {
      fake.calls.push("stop");
      fake.now = "absent";
    },
  };
  return fake;
}
