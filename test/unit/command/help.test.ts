// Help pages and shell completion come from the table of commands: every command and option is there, and no other.
import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { completionFor } from "../../../src/command/completion.ts";
import { shownOptions } from "../../../src/command/command.ts";
import { formatHelp, formatPage } from "../../../src/command/help.ts";
import { formatManual } from "../../../src/command/manual.ts";
import { SHELLS } from "../../../src/command/shell.ts";
import { COMMAND_NAMES, COMMANDS } from "../../../src/command/table.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";
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

async function bashCompletes(
  ...typed: [...words: string[], last: string | Record<string, string>]
): Promise<string[]> {
  const last = typed.at(-1);
  const own = process.env as Record<string, string>;
  const env = typeof last === "object" ? { env: { ...own, ...last } } : {};
  const words = typed.filter((word) => typeof word === "string");
  const script = `${completionFor("bash", COMMANDS)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
compopt() { :; }
_core_dump_handler
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = await runTool(["bash", "--norc", "-c", script], env);
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

gatedTest("bash completes the values of options", [missingProgram("bash")], async () => {
  expect(await bashCompletes("core-dump-handler", "list", "--by", "")).toEqual(["bug"]);
  expect(await bashCompletes("core-dump-handler", "list", "--output", "w")).toEqual(["wide"]);
  expect(await bashCompletes("core-dump-handler", "debug", "a.zip", "--with", "l")).toEqual([
    "lldb",
  ]);
});

const NEEDS_UNZIP = [missingProgram("bash"), missingProgram("unzip")];
gatedTest("bash completes dumps, keys and a dump's entries", NEEDS_UNZIP, async () => {
  await withFolder(async (folder) => {
    const program = join(folder, "core-dump-handler");
    // Stands for the program on the PATH, and says how it was asked.
    writeFileSync(program, '#!/bin/sh\necho "$*" | tr " " "_"\n', { mode: 0o755 });
    const zip = join(folder, "a.zip");
    writeFileSync(
      zip,
      zipSync({ "T-dump-info.json": Buffer.from("{}"), "T-0.log": Buffer.from("x") }),
    );
    const env = { PATH: `${folder}:${process.env["PATH"]}` };
    const ask = (...words: string[]) => bashCompletes(...words, env);
    expect(await ask("core-dump-handler", "info", "")).toEqual(["list_--output_name"]);
    expect(await ask("core-dump-handler", "fetch", "")).toEqual(["list_--store_--output_name"]);
    expect(await ask("core-dump-handler", "extract", zip, "T-0")).toEqual(["T-0.log"]);
    expect(await ask("core-dump-handler", "info", "a", "")).toEqual([]);
  });
});

gatedTest(
  "a dump's hostile name is completed as a quoted word, and runs nothing",
  [missingProgram("bash")],
  async () => {
    await withFolder(async (folder) => {
      const mark = join(folder, "ran");
      const name = `x$(touch ${mark})\`touch ${mark}\`; touch ${mark} 'a.zip`;
      const program = join(folder, "core-dump-handler");
      writeFileSync(program, `#!/bin/sh\ncat ${folder}/names\n`, { mode: 0o755 });
      writeFileSync(join(folder, "names"), `${name}\n`);
      const env = { PATH: `${folder}:${process.env["PATH"]}` };
      const [word = ""] = await bashCompletes("core-dump-handler", "info", "x", env);
      // What a shell makes of the completed word is the name again.
      const said = await runTool(["bash", "--norc", "-c", `printf %s ${word}`]);
      expect(said).toBe(name);
      expect(existsSync(mark)).toBe(false);
    });
  },
);

for (const shell of ["zsh", "fish"] as const)
  gatedTest(`${shell} understands its completion`, [missingProgram(shell)], async () => {
    await runTool([shell, shell === "zsh" ? "-fnc" : "-nc", completionFor(shell, COMMANDS)]);
  });

test("the manual page has every command, option and exit code", () => {
  const page = formatManual(COMMANDS);
  expect(page).toStartWith(".TH CORE\\-DUMP\\-HANDLER 1");
  for (const name of COMMAND_NAMES) {
    expect(page).toContain(`\n.SS ${name}\n`);
    for (const { name: option } of shownOptions(COMMANDS[name].options))
      expect(page).toContain(`\\-\\-${option.replaceAll("-", "\\-")}`);
  }
  // No line of text begins with a dot or a quote, which troff would take for a request.
  const requests = page.split("\n").filter((line) => /^[.']/.test(line));
  for (const line of requests) expect(line).toMatch(/^\.(TH|SH|SS|TP|PP|B|nf|fi)( |$)/);
});

gatedTest("man formats the page without a warning", [missingProgram("groff")], async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "page.1");
    writeFileSync(path, formatManual(COMMANDS));
    const run = Bun.spawnSync(["groff", "-man", "-Tutf8", "-ww", path]);
    expect(run.stderr.toString()).toBe("");
    expect(run.stdout.toString()).toContain("core-dump-handler");
  });
});

test("every shell's completion names every command and option", () => {
  for (const shell of SHELLS)
    for (const name of COMMAND_NAMES) {
      expect(completionFor(shell, COMMANDS)).toContain(name);
      for (const option of shownOptions(COMMANDS[name].options))
        expect(completionFor(shell, COMMANDS)).toContain(option.name);
    }
});
