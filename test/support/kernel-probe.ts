// Does the kernel start our programs? core_pattern names a path in the kernel's own root: inside a container
// it can often be written, and nothing comes of it. Only a crash tells.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withCorePattern } from "./borrowed-kernel.ts";
import { withFolder } from "./temporary-folder.ts";

const DEADLINE_MS = 3_000;

/** Why the kernel cannot start a program in our folders, or undefined. Root only; takes the kernel lock. */
export async function probeKernel(): Promise<string | undefined> {
  return withFolder(async (folder) => {
    const helper = join(folder, "helper");
    const started = join(folder, "started");
    await writeFile(helper, `#!/bin/sh\ncat >/dev/null\n: >${started}\n`, { mode: 0o700 });
    return withCorePattern(`|${helper}`, async () => {
      const child = Bun.spawn(["/bin/sh", "-c", "kill -SEGV $$"], { timeout: 30_000 });
      await child.exited;
      for (const endMs = Date.now() + DEADLINE_MS; Date.now() < endMs; await Bun.sleep(20))
        if (existsSync(started)) return undefined;
      return "the kernel starts programs from another root than ours";
    });
  });
}
