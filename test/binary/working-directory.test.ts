// The composer runs as root in a directory that it did not choose: nothing that lies there may steer it.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { executablePath, linkExecutable } from "../support/executable.ts";
import { withFolder } from "../support/temporary-folder.ts";

/** Files that make Bun itself run code, when it starts in their folder. */
async function layTraps(folder: string): Promise<void> {
  const sprung = JSON.stringify(join(folder, "sprung"));
  await writeFile(join(folder, "trap.ts"), `await Bun.write(${sprung}, "");`);
  await writeFile(join(folder, "harmless.ts"), "");
  await writeFile(join(folder, "bunfig.toml"), `preload = ["./trap.ts"]\n`);
}

async function run(argv: string[], cwd: string): Promise<void> {
  // A wrong setting: without arguments it is the agent, which would install itself on this machine.
  const env = { HOST_DIR: "refused" };
  const child = Bun.spawn(argv, { cwd, env, stdio: ["ignore", "ignore", "ignore"] });
  await child.exited;
}

for (const args of [["--version"], ["composer"], []])
  test(`no bunfig.toml preloads code into ${JSON.stringify(args)}`, async () => {
    await withFolder(async (folder) => {
      await layTraps(folder);
      // Beside it the composer finds its HOST_DIR, which must not be dist/.
      const executable = join(folder, "elsewhere");
      await linkExecutable(await executablePath(), executable);
      await run([executable, ...args], folder);
      expect(existsSync(join(folder, "sprung"))).toBe(false);
    });
  });

test("the trap itself works: Bun falls into it", async () => {
  await withFolder(async (folder) => {
    await layTraps(folder);
    await run([process.execPath, "harmless.ts"], folder);
    expect(existsSync(join(folder, "sprung"))).toBe(true);
  });
});
