import { expect, test } from "bun:test";
import type { CoreDrain, DrainEnd } from "../../../src/composer/core-drain.ts";
import { coreFacts, firstFacts, templateValues } from "../../../src/composer/dump-facts.ts";
import { TEMPLATE_FIELDS } from "../../../src/model/dump-name.ts";
import { sampleCrash } from "../../support/sample-crash.ts";

/** The label of a core that announced, and brought, so many bytes. */
function label(end: DrainEnd, sizeBytes: number, expectedBytes: number | null, isElf = true) {
  const elf = { format: isElf ? "elf" : "unknown", expectedBytes };
  const drain = { written: { sizeBytes }, elf } as unknown as CoreDrain;
  const { core_complete, truncated_by } = coreFacts(drain, end);
  return [core_complete, truncated_by];
}

const ENDS: DrainEnd[] = ["end", "timeout", "size_limit", "no_space", "skipped"];

test("a core that is all there is complete, however its reading ended", () => {
  for (const end of ENDS) expect(label(end, 100, 100)).toEqual([true, null]);
});

test.each([
  ["end", "eof"],
  ["timeout", "timeout"],
  ["size_limit", "size_limit"],
  ["no_space", "no_space"],
] as const)("a core that lacks a byte, ended by %p, is cut by %p", (end, by) => {
  expect(label(end, 99, 100)).toEqual([false, by]);
  expect(label(end, 10, null)).toEqual([false, by]);
});

test("what is no ELF may be whole, unless it is nothing or we cut it", () => {
  expect(label("end", 10, null, false)).toEqual([null, null]);
  expect(label("end", 0, null, false)).toEqual([false, "eof"]);
  expect(label("timeout", 10, null, false)).toEqual([false, "timeout"]);
});

test("until it is known better a dump counts as cut: a composer may be killed", () => {
  expect(firstFacts("u", sampleCrash())).toMatchObject({ core_complete: false, core_bytes: 0 });
});

test("what the kernel did not say is empty, never a made-up number", () => {
  const info = firstFacts("u", sampleCrash({ pid: null, signal: null, hostPid: null }));
  expect(info).toMatchObject({ real_pid: "", signal: "", signal_name: null, host_pid: null });
});

test("every field of the template has its value, the pod's are unknown until they are known", () => {
  const info = firstFacts("u", sampleCrash());
  expect(Object.keys(templateValues(info)).toSorted()).toEqual([...TEMPLATE_FIELDS].toSorted());
  expect(templateValues(info)).toMatchObject({ namespace: "unknown", podname: "unknown" });
  expect(templateValues({ ...info, namespace: "a", podname: "b" })).toMatchObject({
    namespace: "a",
    podname: "b",
    exe_name: "server",
    pathname: "!usr!bin!server",
  });
});
