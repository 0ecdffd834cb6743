import { expect, test } from "bun:test";
import { parseAgentCommand } from "../../../src/agent/command-line.ts";

test.each([
  [[], { name: "agent" }],
  [["agent"], { name: "agent" }],
  [["remove"], { name: "remove", onlyWhenUninstalled: false }],
  [["remove", "--when-uninstalled"], { name: "remove", onlyWhenUninstalled: true }],
  [["sweep"], { name: "sweep", file: undefined }],
  [["sweep", "a.zip"], { name: "sweep", file: "a.zip" }],
  [["--help"], { name: "help" }],
  [["sweep", "-h"], { name: "help" }],
  [["--version"], { name: "version" }],
])("%p is understood", (args, command) => {
  expect(parseAgentCommand(args)).toEqual(command as ReturnType<typeof parseAgentCommand>);
});

test.each([
  [["frobnicate"], 'there is no command "frobnicate"'],
  [["--force"], "--force"],
  [["remove", "now"], 'remove does not take "now"'],
  [["sweep", "a.zip", "b.zip"], 'sweep does not take "b.zip"'],
  [["--when-uninstalled"], "--when-uninstalled belongs to remove"],
])("%p is refused by name", (args, message) => {
  expect(() => parseAgentCommand(args)).toThrow(message);
});
