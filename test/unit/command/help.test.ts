// Help pages and shell completion come from the table of commands: every command and option is there, and no other.
import { expect, test } from "bun:test";
import { completionFor } from "../../../src/command/completion.ts";
import { shownOptions } from "../../../src/command/command.ts";
import { formatHelp, formatPage } from "../../../src/command/help.ts";
import { SHELLS } from "../../../src/command/shell.ts";
import { COMMAND_NAMES, COMMANDS } from "../../../src/command/table.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { runTool } from "../../support/run-tool.ts";

test("a command's usage names just the options that its page explains, or ends with … for the rest", () => {
  for (const name of COMMAND_NAMES) {
    const { usage, options } = COMMANDS[name];
    const named = [...usage.matchAll(/--([a-z-]+)/g)].map(([, option = ""]) => option);
    const shown = shownOptions(options).map((option) => option.name);
    if (usage.endsWith("…")) {
      expect(shown).toEqual(expect.arrayContaining(named));
      continue;
    }
    expect([name, ...named.toSorted()]).toEqual([
      name,
      ...shownOptions(options)
        .map((option) => option.name)
        .toSorted(),
    ]);
  }
});

test("an option of one name is one kind of option, whichever command has it", () => {
  const kinds = new Map<string, string>();
  for (const name of COMMAND_NAMES)
    for (const [option, { type, short }] of Object.entries(COMMANDS[name].options)) {
      const kind = `${type} ${short}`;
      expect(`${option} ${kinds.get(option) ?? kind}`).toBe(`${option} ${kind}`);
      kinds.set(option, kind);
    }
});

test("every command stands in the general help, within 100 columns", () => {
  const lines = formatHelp().split("\n");
  for (const name of COMMAND_NAMES)
    expect(lines.filter((line) => line.startsWith(`  ${COMMANDS[name].usage}`))).toHaveLength(1);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
});

test("a page tells usage, options and exit codes, within 110 columns", () => {
  for (const name of COMMAND_NAMES) {
    const page = formatPage(name);
    expect(page).toStartWith(`core-dump-handler ${COMMANDS[name].usage}`);
    expect(page).toContain("exit codes\n  0  ");
    expect(Math.max(...page.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
  }
});

test("what only our own processes use stands in no help", () => {
  expect(formatPage("crash-test")).not.toContain("victim");
  expect(completionFor("bash", COMMANDS)).not.toContain("worker");
});

async function bashCompletes(...words: string[]): Promise<string[]> {
  const script = `${completionFor("bash", COMMANDS)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
compopt() { :; }
_core_dump_handler
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = await runTool(["bash", "--norc", "-c", script]);
  return said.split("\n").filter((line) => line !== "");
}

gatedTest("bash completes commands, options and shells", [missingProgram("bash")], async () => {
  expect(await bashCompletes("core-dump-handler", "do")).toEqual(["doctor"]);
  expect(await bashCompletes("core-dump-handler", "list", "--s")).toEqual([
    "--store",
    "--since",
    "--signal",
  ]);
  expect(await bashCompletes("core-dump-handler", "completion", "")).toEqual([...SHELLS]);
  expect(await bashCompletes("core-dump-handler", "info", "--")).toEqual([
    "--store",
    "--json",
    "--help",
  ]);
});

for (const shell of ["zsh", "fish"] as const)
  gatedTest(`${shell} understands its completion`, [missingProgram(shell)], async () => {
    await runTool([shell, shell === "zsh" ? "-fnc" : "-nc", completionFor(shell, COMMANDS)]);
  });

test("every shell's completion names every command and option", () => {
  for (const shell of SHELLS)
    for (const name of COMMAND_NAMES) {
      expect(completionFor(shell, COMMANDS)).toContain(name);
      for (const option of shownOptions(COMMANDS[name].options))
        expect(completionFor(shell, COMMANDS)).toContain(option.name);
    }
});
