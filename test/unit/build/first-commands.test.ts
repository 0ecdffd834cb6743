// Any script of package.json may be the first thing that is run in a fresh clone, where there is no node_modules yet.
import { expect, test } from "bun:test";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { TASKS } from "../../../build/run.ts";
import { ROOT } from "../../../build/targets.ts";

/** What a script imports from outside the repository, directly or not. */
async function packagesOf(script: string): Promise<string[]> {
  const { outputs } = await Bun.build({
    entrypoints: [join(ROOT, script)],
    target: "bun",
    packages: "external",
  });
  const [bundle] = outputs;
  if (bundle === undefined) throw new Error(`${script} gave no bundle`);
  const { imports } = new Bun.Transpiler({ loader: "js" }).scan(await bundle.text());
  return imports.map(({ path }) => path).filter((path) => !isBuiltin(path));
}

const scripts = Object.entries(packageJson.scripts);

test.each(scripts)("`bun run %s` starts without any package", async (_name, command) => {
  const [, file = "not a file of build/"] = /^bun (build\/[\w-]+\.ts)( |$)/.exec(command) ?? [];
  expect(await packagesOf(file)).toEqual([]);
});

test("every task of build/run.ts has its script, and every script its task", () => {
  const named = scripts.flatMap(([name, command]) =>
    command.startsWith("bun build/run.ts") ? [[name, command]] : [],
  );
  expect(named).toEqual(Object.keys(TASKS).map((name) => [name, `bun build/run.ts ${name}`]));
});

test("a task that needs a word more says which, and nothing runs", async () => {
  const { exitCode, stdout } = Bun.spawnSync([process.execPath, "build/run.ts", "bench"], {
    cwd: ROOT,
  });
  expect(exitCode).toBe(1);
  expect(stdout.toString()).toBe(
    "bun run bench needs the name of a file in bench/: bun run bench -- …\n",
  );
});

test("a script that uses a package would be found", async () => {
  expect(await packagesOf("src/config/setting.ts")).toEqual(["valibot"]);
});
