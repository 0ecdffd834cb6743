import { writeFileSync } from "node:fs";
import { expect, test } from "bun:test";
import { openKernelDevice, openKernelLog } from "../../../src/host/kernel-log.ts";
import { openKernelRing, parseRingLine } from "../../../src/host/kernel-ring.ts";
import { gatedTest } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("a line is a time in microseconds and a message", () => {
  expect(parseRingLine("<4>[   12.000345] coredump: 7(x): over core_pipe_limit")).toEqual({
    sequence: 12_000_345,
    message: "coredump: 7(x): over core_pipe_limit",
  });
  expect(parseRingLine("<6>[123456.789012] a [b] c")?.sequence).toBe(123_456_789_012);
  expect(parseRingLine("coredump: without a time")).toBeUndefined();
});

const root = process.getuid?.() === 0 ? undefined : "needs root";

gatedTest("the system call and /dev/kmsg tell the same", [root], () => {
  const marker = `core-dump-handler test ${crypto.randomUUID()}`;
  writeFileSync("/dev/kmsg", `<6>${marker}\n`);
  for (const source of [openKernelRing("boot"), openKernelDevice("/dev/kmsg", "boot")]) {
    const messages = [...source.records()].map(({ message }) => message);
    source.close();
    expect(messages.filter((message) => message === marker)).toHaveLength(1);
  }
});

test("a drop is counted once, over a restart too, and none from before the first look", async () => {
  await withFolder(async (folder) => {
    const drop = (sequence: number) => ({ sequence, message: `Pid 1(x) over core_pipe_limit` });
    const records = [drop(1)];
    const source = { id: "ring-boot", records: () => records, close: () => {} };
    const first = openKernelLog(folder, source);
    expect(await first.readLosses()).toEqual([]);
    records.push(drop(2));
    expect(await first.readLosses()).toHaveLength(1);
    expect(await openKernelLog(folder, source).readLosses()).toEqual([]);
    records.push(drop(3), drop(4));
    expect(await openKernelLog(folder, source).readLosses()).toHaveLength(2);
  });
});
