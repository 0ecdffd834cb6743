import { expect, test } from "bun:test";
import { lossOf, parseKernelRecord } from "../../../src/host/kernel-log.ts";

const HOST = "/var/mnt/core-dump-handler";

test.each([
  "Pid 4711(server) over core_pipe_limit",
  "coredump: 4711(server): over core_pipe_limit, skipping core dump",
  "coredump: 4711(a (b) c): over core_pipe_limit, skipping core dump",
])("%p is a loss by the pipe limit", (message) => {
  expect(lossOf(message, HOST)).toBe("pipe limit");
});

test.each([
  `coredump: 3134(segfault): Coredump socket connection ${HOST}/cdc.sock failed -2`,
  `coredump: 3134(a (b): c): Coredump socket connection ${HOST}/cdc.sock failed -111`,
])("%p is a loss by the socket", (message) => {
  expect(lossOf(message, HOST)).toBe("socket");
});

test.each([
  "Skipping core dump",
  "coredump: 4711(server): |pipe failed",
  "someone wrote: over core_pipe_limit",
  "coredump: 3134(x): Coredump socket connection /run/systemd/coredump failed -111",
  `coredump: 3134(x): Coredump socket connection ${HOST}/cdc.sock failed -111 or not`,
  `coredump: 3134(Coredump socket): Skipping core dump ${HOST}/cdc.sock`,
  "",
])("%p is none", (message) => {
  expect(lossOf(message, HOST)).toBeUndefined();
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
