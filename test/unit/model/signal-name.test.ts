import { expect, test } from "bun:test";
import { constants } from "node:os";
import { bareSignalName, CORE_SIGNALS, signalName } from "../../../src/model/signal-name.ts";

test("every signal that dumps core has the name that this machine gives it", () => {
  for (const name of CORE_SIGNALS) expect(signalName(constants.signals[name])).toBe(name);
});

test("another number is named by itself", () => {
  expect(signalName(42)).toBe("SIG42");
  expect(signalName(0)).toBe("SIG0");
});

test.each([
  ["SIGSEGV", "SEGV"],
  ["segv", "SEGV"],
  ["11", "SEGV"],
  ["SIGSEG", undefined],
  ["99", undefined],
  ["", undefined],
])("%p as a person writes it", (text, bare) => {
  expect(bareSignalName(text)).toBe(bare);
});
