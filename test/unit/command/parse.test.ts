import { describe, expect, test } from "bun:test";
import { parseLine } from "../../../src/command/parse.ts";
import { COMMANDS, type CommandName } from "../../../src/command/table.ts";
import { describeError } from "../../../src/model/app-error.ts";

const command = (name: CommandName, operands: string[] = [], options = {}) => ({
  kind: "command" as const,
  name,
  operands,
  options,
});

/** What one would see: the line refused by the parse, or by the row that checks what goes together. */
function refusalOf(args: readonly string[]): string {
  try {
    const line = parseLine(args);
    if (line.kind === "command")
      COMMANDS[line.name].prepare({
        operands: line.operands,
        options: line.options,
        realEnvironment: {},
        loadEnvironment: async () => ({}),
        loadInstalled: async () => ({}),
        commands: COMMANDS,
      });
    return "";
  } catch (error) {
    return describeError(error);
  }
}

test.each([
  [[], command("agent")],
  [["agent"], command("agent")],
  [["remove"], command("remove")],
  [["remove", "--when-uninstalled"], command("remove", [], { "when-uninstalled": true })],
  [
    ["remove", "--behind-uninstall", "--stay"],
    command("remove", [], { "behind-uninstall": true, stay: true }),
  ],
  [["await-removal", "x"], command("await-removal", ["x"])],
  [["await-removal", "x", "--within", "5"], command("await-removal", ["x"], { within: "5" })],
  [["sweep"], command("sweep")],
  [["sweep", "a.zip"], command("sweep", ["a.zip"])],
  [["sweep", "--", "--odd.zip"], command("sweep", ["--odd.zip"])],
  [["--help"], { kind: "help" as const, topic: undefined }],
  [["sweep", "-h"], { kind: "help" as const, topic: "sweep" as const }],
  [["listen", "--help"], { kind: "help" as const, topic: "listen" as const }],
  [["help", "doctor"], { kind: "help" as const, topic: "doctor" as const }],
  [["info", "-1"], command("info", ["latest"])],
  [["debug", "-2", "--", "-1"], command("debug", ["latest~1", "-1"])],
  [["list", "-n", "5", "-r"], command("list", [], { last: "5", reverse: true })],
  [["doctor"], command("doctor")],
  [["doctor", "--json"], command("doctor", [], { json: true })],
  [["apply"], command("apply")],
  [["install", "--config", "a.env"], command("install", [], { config: "a.env" })],
  [["completion", "zsh"], command("completion", ["zsh"])],
  [["listen", "--worker=7"], command("listen", [], { worker: "7" })],
  [["composer", "-h=web", "--", "-p"], command("composer", ["-h=web", "--", "-p"])],
  [["help"], { kind: "help" as const, topic: undefined }],
  [["--version"], { kind: "version" as const }],
  [
    ["list", "/cores", "--namespace", "shop", "--json"],
    command("list", ["/cores"], { namespace: "shop", json: true }),
  ],
  [
    ["debug", "a.zip", "--", "-batch", "-ex", "bt"],
    command("debug", ["a.zip", "-batch", "-ex", "bt"]),
  ],
])("%j is understood", (args, line) => {
  expect(parseLine(args)).toEqual(line);
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
  [["help", "toString"], 'there is no command "toString"'],
  [["install"], "install needs --config FILE"],
  [["remove", "--when-uninstalled", "--behind-uninstall"], "exclude one another"],
  [["await-removal"], "await-removal needs the name of a DaemonSet"],
  [["await-removal", "x", "--within", "soon"], '--within "soon" is no number of seconds'],
  [["completion", "csh"], "completion needs a shell: bash, zsh, fish"],
  [["doctor", "now"], 'doctor does not take "now"'],
  [["info"], "info needs a file"],
  [["fetch"], "fetch needs a key"],
  [["info", "a", "b"], 'info does not take "b"'],
  [["info", "a", "--force"], "info has no option --force"],
  [["sweep", "--json"], "sweep has no option --json"],
  [["list", "/cores", "--store"], "not both"],
  [["list", "--since", "soon"], '--since "soon" is no time'],
  [["list", "--until", "soon"], '--until "soon" is no time'],
  [["list", "--signal", "SIGSEG"], 'list --signal is "SIGSEG", no signal'],
  [["list", "-n", "shop"], "--namespace NS chooses a namespace"],
  [["list", "--output", "yaml"], 'list --output is "yaml"; expected wide, json or name'],
  [["list", "--json", "-o", "name"], "expected wide, json or name"],
  [["listen", "--worker=x"], 'listen --worker is "x", no inode'],
])("%j is refused in words", (args, words) => {
  expect(refusalOf(args)).toContain(words);
});

describe("a word that is nearly right is answered with the right one, on one line", () => {
  test.each([
    [["--", "listen"], "core-dump-handler listen?"],
    [["lisst"], "core-dump-handler list?"],
    [["dotcor"], "core-dump-handler doctor?"],
    [["sweep", "--hlp"], "core-dump-handler sweep --help?"],
    [["list", "--namespcae", "a"], "core-dump-handler list --namespace?"],
  ])("%j", (args, meant) => {
    expect(refusalOf(args)).toContain(meant);
    expect(refusalOf(args)).not.toContain("\n");
  });

  test("a word that is nothing like a command is answered with none", () => {
    expect(refusalOf(["frobnicate"])).not.toContain("did you mean");
  });
});

test("only the line without any argument means the agent", () => {
  for (const args of [["--"], ["-"], [""], ["agnet"], ["--", "agent"], ["Agent"]])
    expect(refusalOf(args)).not.toBe("");
});
