// Every command on every page is one that the program, the scripts or the chart know.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "bun:test";
import { CHART_VALUES } from "../../../build/chart-values.ts";
import { ROOT } from "../../../build/targets.ts";
import packageJson from "../../../package.json" with { type: "json" };
import { parseLine } from "../../../src/command/parse.ts";
import { describeError } from "../../../src/model/app-error.ts";
import { findCommands, type DocumentedCommand } from "../../support/documented-commands.ts";

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "chart/README.md",
  "test/README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
].filter((page) => existsSync(join(ROOT, page)));

const textOf = (page: string) => readFileSync(join(ROOT, page), "utf8");

/** Words such as FILE, <pod>, [KEY] and … stand for what a reader puts there. */
const isUsage = (args: readonly string[]) => args.some((arg) => /…|[[\]|]/.test(arg));

/** What is wrong with one command; undefined where nothing is, or another program has to know. */
function faultOf({ program, args }: DocumentedCommand): string | undefined {
  switch (program) {
    case "core-dump-handler":
      return isUsage(args) ? undefined : lineFault(args);
    case "npx":
      return scriptFault(args);
    case "bun":
    case "bunx":
      return "needs a bun in PATH; npx -y bun@… run has a script for it";
    case "helm":
      return helmFault(args);
    default:
      return undefined;
  }
}

function lineFault(args: readonly string[]): string | undefined {
  try {
    parseLine(args);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

function scriptFault(args: readonly string[]): string | undefined {
  const [yes, bun, run, script = ""] = args;
  if (yes !== "-y" || bun !== packageJson.packageManager)
    return `not ${packageJson.packageManager}`;
  if (run !== "run" || script === "…") return undefined;
  return Object.hasOwn(packageJson.scripts, script) ? undefined : `no script ${script}`;
}

function helmFault(args: readonly string[]): string | undefined {
  const known = CHART_VALUES.map(({ path }) => path);
  const isKnown = (key: string) =>
    known.some((path) => key === path || key.startsWith(`${path}.`) || key.startsWith(`${path}[`));
  for (const [at, arg] of args.entries()) {
    if (arg === "-f" || arg === "--values") {
      const file = args[at + 1] ?? "";
      if (file.startsWith("./chart") || file.startsWith("chart/"))
        if (!existsSync(join(ROOT, file))) return `there is no ${file}`;
    }
    if (!/^--set(-string|-file|-json)?$/.test(arg)) continue;
    for (const pair of (args[at + 1] ?? "").split(/(?<!\\),(?=[\w.[\]\\-]+=)/)) {
      const [key = ""] = pair.split("=");
      if (!isKnown(key) && !key.includes("…")) return `the chart has no value ${key}`;
    }
  }
  return undefined;
}

test.each(PAGES)("the commands of %s are such as there are", (page) => {
  const faults = findCommands(textOf(page)).flatMap((command) => {
    const fault = faultOf(command);
    return fault === undefined ? [] : [`${page}:${command.line}: ${command.text}: ${fault}`];
  });
  expect(faults).toEqual([]);
});

test.each(PAGES)("the links of %s lead somewhere", (page) => {
  const faults = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(ROOT, target))) return [`${page}: ${link}: there is no ${target}`];
    if (anchor === undefined || !target.endsWith(".md")) return [];
    return anchorsOf(textOf(target)).includes(anchor) ? [] : [`${page}: ${link}: no such heading`];
  });
  expect(faults).toEqual([]);
});

/** GitHub's anchors: lower case, blanks as hyphens, no other punctuation. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#{1,6} (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}

test.each([
  ["core-dump-handler lisst", "core-dump-handler"],
  ["core-dump-handler list --sinc 1h", "core-dump-handler"],
  ["npx -y bun@1.0.0 run demo", "npx"],
  [`npx -y ${packageJson.packageManager} run demmo`, "npx"],
  ["bun test test/unit", "bun"],
  ["sudo X=1 bun bench/drain.ts 3", "bun"],
  ["helm install x ./chart --set daemonset.s3Bucket=b", "helm"],
])("a page with `%s` would be found", (line, program) => {
  const [found] = findCommands(`\`\`\`\n${line}\n\`\`\`\n`);
  expect(found?.program).toBe(program);
  expect(found && faultOf(found)).toBeString();
});

test("commands are found in blocks and in lines, behind sudo and variables, before a pipe", () => {
  const page =
    "Type `A=1 ./dist/core-dump-handler list | less`:\n```\nsudo a 'b c' \\\n  d # e\n```\n";
  expect(findCommands(page).map(({ program, args }) => [program, ...args])).toEqual([
    ["core-dump-handler", "list"],
    ["less"],
    ["a", "b c", "d"],
  ]);
});
