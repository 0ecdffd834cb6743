import { expect, test } from "bun:test";
import { isPipeLimitDrop, parseKernelRecord } from "../../../src/agent/kernel-log.ts";

test.each([
  "Pid 4711(server) over core_pipe_limit",
  "coredump: 4711(server): over core_pipe_limit, skipping core dump",
  "coredump: 4711(a (b) c): over core_pipe_limit, skipping core dump",
])("%p is a drop", (message) => {
  expect(isPipeLimitDrop(message)).toBe(true);
});

test.each([
  "Skipping core dump",
  "coredump: 4711(server): |pipe failed",
  "someone wrote: over core_pipe_limit",
  "",
])("%p is none", (message) => {
  expect(isPipeLimitDrop(message)).toBe(false);
});

test("a record is a sequence number and a message, whatever follows it", () => {
  expect(
    parseKernelRecord("4,1234,98765,-;coredump: 7(x): over core_pipe_limit\n SUBSYSTEM=x\n"),
  ).toEqual({
    sequence: 1234,
    message: "coredump: 7(x): over core_pipe_limit",
  });
  expect(parseKernelRecord("6,339,5140900,-,caller=T1;NET: ; x")?.message).toBe("NET: ; x");
  expect(parseKernelRecord("nonsense")).toBeUndefined();
});
