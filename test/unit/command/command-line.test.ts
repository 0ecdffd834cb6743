import { expect, test } from "bun:test";
import { parseAgentCommand } from "../../../src/command/command-line.ts";

test.each([
  [[], { name: "agent" }],
  [["agent"], { name: "agent" }],
  [["remove"], { name: "remove", when: "now", stay: false }],
  [["remove", "--when-uninstalled"], { name: "remove", when: "uninstalled", stay: false }],
  [["remove", "--behind-uninstall", "--stay"], { name: "remove", when: "behind", stay: true }],
  [["await-removal", "x"], { name: "await-removal", daemonSet: "x", withinMs: 120_000 }],
  [
    ["await-removal", "x", "--within", "5"],
    { name: "await-removal", daemonSet: "x", withinMs: 5_000 },
  ],
  [["sweep"], { name: "sweep", file: undefined }],
  [["sweep", "a.zip"], { name: "sweep", file: "a.zip" }],
  [["--help"], { name: "help", topic: undefined }],
  [["sweep", "-h"], { name: "help", topic: "sweep" }],
  [["help", "doctor"], { name: "help", topic: "doctor" }],
  [["doctor"], { name: "doctor", json: false }],
  [["doctor", "--json"], { name: "doctor", json: true }],
  [["apply"], { name: "apply" }],
  [["install", "--config", "a.env"], { name: "install", configPath: "a.env" }],
  [["completion", "zsh"], { name: "completion", shell: "zsh" }],
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
  [["list", "--victim"], "--victim belongs to crash-test"],
  [["agent", "--json"], "agent has no option --json"],
  [["toString"], 'there is no command "toString"'],
  [["remove", "--when-uninstalled", "--behind-uninstall"], "exclude one another"],
  [["await-removal"], "await-removal needs the name of a DaemonSet"],
  [["await-removal", "x", "--within", "soon"], '--within "soon" is no number of seconds'],
  [["install"], "install needs --config FILE"],
  [["completion", "csh"], "completion needs a shell: bash, zsh, fish"],
  [["doctor", "now"], 'doctor does not take "now"'],
])("%p is refused by name", (args, message) => {
  expect(() => parseAgentCommand(args)).toThrow(message);
});
