import { expect, test } from "bun:test";
import { constants } from "node:os";
import { signalName } from "../../../src/model/signal-name.ts";

/** Every signal whose default action is to dump core (signal(7)). */
const CORE_SIGNALS = [
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGQUIT",
  "SIGSEGV",
  "SIGSYS",
  "SIGTRAP",
  "SIGXCPU",
  "SIGXFSZ",
] as const;

test("every signal that dumps core has the name that this machine gives it", () => {
  for (const name of CORE_SIGNALS) expect(signalName(constants.signals[name])).toBe(name);
});

test("another number is named by itself", () => {
  expect(signalName(42)).toBe("SIG42");
  expect(signalName(0)).toBe("SIG0");
});
