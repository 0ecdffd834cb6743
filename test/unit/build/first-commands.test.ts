// demo, verify and setup are the first things run in a fresh clone: there is no node_modules yet.
import { expect, test } from "bun:test";
import { isBuiltin } from "node:module";
import { join } from "node:path";
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

for (const script of ["build/demo.ts", "build/verify.ts", "build/setup.ts"])
  test(`${script} runs without any package`, async () => {
    expect(await packagesOf(script)).toEqual([]);
  });

test("a script that uses a package would be found", async () => {
  expect(await packagesOf("src/config/setting.ts")).toEqual(["valibot"]);
});
