// What a build pipeline ships, stored by `modules add`: real programs, split debug information, and what is none.
import { expect } from "bun:test";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compilerObstacle } from "../../../support/crash-program.ts";
import { temporaryFolder } from "../../../support/dumps.ts";
import { gatedTest, missingProgram } from "../../../support/gate.ts";
import { buildOwnProgram } from "../../../support/own-program.ts";

const MAIN = join(import.meta.dir, "../../../../src/main.ts");
const obstacles = [compilerObstacle(), missingProgram("objcopy")];

function add(store: string, ...paths: string[]) {
  const env = { ...process.env, STORE_URL: `file://${store}`, STORE_MODULE_PREFIX: "m" };
  const { stdout, stderr, exitCode } = Bun.spawnSync(
    [process.execPath, MAIN, "modules", "add", ...paths],
    { env, stdin: "ignore" },
  );
  return { said: stdout.toString() + stderr.toString(), exitCode };
}

const keysIn = (store: string) =>
  readdirSync(store, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(store.length + 1))
    .sort();

gatedTest(
  "programs go to executable, their split debug information to debuginfo",
  obstacles,
  async () => {
    const [store, folder] = [temporaryFolder(), temporaryFolder()];
    const { program, library, debugFiles } = await buildOwnProgram(folder, { splits: true });
    const { said, exitCode } = add(store, folder);
    expect(exitCode).toBe(0);
    expect(said.match(/^added/gm)).toHaveLength(4);
    const keys = keysIn(store);
    expect(keys.filter((key) => key.endsWith("/executable"))).toHaveLength(2);
    expect(keys.filter((key) => key.endsWith("/debuginfo"))).toHaveLength(2);
    const stored = keys.map((key) => readFileSync(join(store, key)).toString("latin1"));
    for (const path of [program, library, ...debugFiles])
      expect(stored).toContain(readFileSync(path).toString("latin1"));
    // A job that is run again changes nothing.
    expect(add(store, folder).exitCode).toBe(0);
    expect(keysIn(store)).toEqual(keys);
  },
);

gatedTest(
  "what is no program is said where it was asked for; other files are never replaced",
  obstacles,
  async () => {
    const [store, folder] = [temporaryFolder(), temporaryFolder()];
    const { program, debugFiles } = await buildOwnProgram(folder, { splits: true });
    const [debug = ""] = debugFiles;
    add(store, program, debug);
    const [executable = "", debuginfo = ""] = keysIn(store).toSorted((a) =>
      a.endsWith("executable") ? -1 : 1,
    );
    writeFileSync(join(store, executable), "a lie");
    writeFileSync(join(store, debuginfo), "a lie");
    const again = add(store, program, debug, join(folder, "src/app.c"), join(folder, "none"));
    expect(again.exitCode).toBe(1);
    expect(again.said).toMatch(
      /^beside .*app .*\(another file of this build id was there first\)$/m,
    );
    expect(again.said).toMatch(/^failed .*app\.debug .*is another file of this build id/m);
    expect(again.said).toMatch(/^skipped .*app\.c .*it is no ELF program or library$/m);
    expect(again.said).toMatch(/^failed .*none .*ENOENT/m);
    for (const key of [executable, debuginfo])
      expect(readFileSync(join(store, key), "utf8")).toBe("a lie");
    mkdirSync(join(folder, "empty"));
    expect(add(store, join(folder, "empty")).said).toContain(
      "no program, library or debug information in",
    );
    expect(dirname(executable)).toStartWith("m/buildid/");
  },
);
