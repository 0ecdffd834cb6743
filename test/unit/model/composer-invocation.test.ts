// The options that only our own programs put before the contract's arguments.
import { expect, test } from "bun:test";
import { formatInvocation, parseInvocation } from "../../../src/model/composer-invocation.ts";

test("without options it is the kernel's pipe", () => {
  const args = ["-P=7", "--source=socket"];
  expect(parseInvocation(args)).toEqual({ hostDir: undefined, source: { kind: "pipe" }, args });
});

test("options before the arguments name folder and source", () => {
  const { hostDir, source, args } = parseInvocation(["--host-dir=/h x", "--source=socket", "-e=a"]);
  expect({ hostDir, source, args }).toEqual({
    hostDir: "/h x",
    source: { kind: "socket" },
    args: ["-e=a"],
  });
});

test("a source that is not known is refused", () => {
  expect(() => parseInvocation(["--source=tape"])).toThrow("expected pipe, socket or file");
});

test("what our own programs write is what the composer reads", () => {
  for (const source of [
    { kind: "pipe" },
    { kind: "socket" },
    { kind: "file", containerId: "a b", knownFd: 3, keepsCut: true, nodeName: "n=1" },
    { kind: "file", containerId: null, knownFd: null, keepsCut: false, nodeName: null },
  ] as const) {
    const invocation = { hostDir: "/h x", source, args: ["-P=7", "--source=tape"] };
    const [role, ...args] = formatInvocation(invocation);
    expect(role).toBe("composer");
    expect(parseInvocation(args)).toEqual(invocation);
  }
});
