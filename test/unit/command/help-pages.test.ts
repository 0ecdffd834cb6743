// Help pages and shell completion follow the command line: every command and option is there, and no other.
import { expect, test } from "bun:test";
import { COMMAND_OPTIONS } from "../../../src/command/command-line.ts";
import { completionFor, SHELLS } from "../../../src/command/completion.ts";
import { HELP } from "../../../src/command/help.ts";
import { HELP_PAGES, helpFor } from "../../../src/command/help-pages.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { runTool } from "../../support/run-tool.ts";

/** For the program itself: a child that crashes on purpose. */
const HIDDEN: Readonly<Record<string, readonly string[]>> = { "crash-test": ["victim"] };

test("every command has a page with just its options", () => {
  const pages = Object.entries(HELP_PAGES).map(([name, { options }]) => [
    name,
    Object.keys(options)
      .map((option) => option.split(" ", 1)[0] ?? "")
      .toSorted(),
  ]);
  const commands = Object.entries(COMMAND_OPTIONS).map(([name, options]) => [
    name,
    options.filter((option) => HIDDEN[name]?.includes(option) !== true).toSorted(),
  ]);
  expect(Object.fromEntries(pages)).toEqual(Object.fromEntries(commands));
});

test("every command stands in the general help", () => {
  for (const name of Object.keys(HELP_PAGES)) expect(HELP).toContain(name);
});

test("a page tells usage, options and exit codes, within 100 columns", () => {
  for (const name of Object.keys(HELP_PAGES)) {
    const page = helpFor(name);
    expect(page).toStartWith(`core-dump-handler ${name}`);
    expect(page).toContain("exit codes\n  0  ");
    expect(Math.max(...page.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
  }
});

test("a page for no command is refused by name", () => {
  expect(() => helpFor("toString")).toThrow('there is no command "toString"');
});

async function bashCompletes(...words: string[]): Promise<string[]> {
  const script = `${completionFor("bash")}
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
  expect(await bashCompletes("core-dump-handler", "list", "--s")).toEqual(["--store", "--since"]);
  expect(await bashCompletes("core-dump-handler", "completion", "")).toEqual([...SHELLS]);
  expect(await bashCompletes("core-dump-handler", "info", "--")).toEqual(["--json", "--help"]);
});

for (const shell of ["zsh", "fish"] as const)
  gatedTest(`${shell} understands its completion`, [missingProgram(shell)], async () => {
    await runTool([shell, shell === "zsh" ? "-fnc" : "-nc", completionFor(shell)]);
  });

test("every shell's completion names every command and option", () => {
  for (const shell of SHELLS)
    for (const [name, { options }] of Object.entries(HELP_PAGES)) {
      expect(completionFor(shell)).toContain(name);
      for (const option of Object.keys(options))
        expect(completionFor(shell)).toContain(option.split(" ")[0] ?? "");
    }
});
