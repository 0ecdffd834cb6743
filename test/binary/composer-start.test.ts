// How the kernel starts the composer: no environment, cwd /, stdout and stderr closed, perhaps with
// everything read-only but CORE_DIR. The dump must not depend on any of it.
import { expect } from "bun:test";
import { join } from "node:path";
import { checkDump } from "../support/dump-check.ts";
import { writeSampleCore } from "../support/core-sample.ts";
import { gatedTest, mountObstacle } from "../support/gate.ts";
import { installComposer, type InstalledComposer } from "../support/installed-composer.ts";
import { withFolder } from "../support/temporary-folder.ts";
import { readersObstacle } from "../support/zip-readers.ts";

const ARGUMENTS = ["-p=1", "-s=11", "-t=1700000000", "-h=host", "-e=prog", "-E=!bin!prog"];

/** Runs a shell command in which "$@" is the composer's whole command line and stdin the core. */
async function start(script: string, composer: InstalledComposer, core: string): Promise<number> {
  const child = Bun.spawn(
    ["/bin/sh", "-c", script, "sh", join(composer.hostDir, "cdc"), ...ARGUMENTS],
    {
      env: { HOST: composer.hostDir, CORES: composer.coreDir },
      cwd: "/",
      stdio: [Bun.file(core), "ignore", "ignore"],
      timeout: 60_000,
      killSignal: "SIGKILL",
    },
  );
  return child.exited;
}

async function publishes(script: string): Promise<void> {
  await withFolder(async (folder) => {
    const core = join(folder, "sample.core");
    await writeSampleCore(core);
    const composer = await installComposer(folder);
    expect(await start(script, composer, core)).toBe(0);
    const [zip = "none", ...others] = await composer.zips(1);
    expect(others).toEqual([]);
    const { info, core: size } = await checkDump(zip);
    expect(size.received).toBe(Bun.file(core).size);
    expect(info).toMatchObject({ exe: "prog", signal: "11", hostname: "host", path: "!bin!prog" });
  });
}

const PRIVATE = "mount --make-rprivate /";

for (const [title, script, obstacle] of [
  ["an empty environment, cwd /, stdout and stderr closed", `exec env -i "$@" >&- 2>&-`],
  ["no descriptor open but stdin", `exec env -i "$@" >&- 2>&- 3>&- 4>&- 5>&-`],
  ["a read-only root around HOST_DIR", ro(`mount --bind "$HOST" "$HOST"`), mountObstacle()],
  ["only CORE_DIR writable", ro(`mount --bind "$CORES" "$CORES"`), mountObstacle()],
] as const)
  gatedTest(`works with ${title}`, [readersObstacle(), obstacle], () => publishes(script), 90_000);

/** A mount namespace in which / is read-only but for what `keepWritable` binds. */
function ro(keepWritable: string): string {
  const inside = `${PRIVATE} && ${keepWritable} && mount -o remount,bind,ro / && ! touch /x 2>&- && exec env -i "$@" >&- 2>&-`;
  return `exec unshare -m /bin/sh -c '${inside}' sh "$@"`;
}
