// The kernel takes a coredump socket's path from the host's mount namespace only (fs/coredump.c): we write it from a
// namespace of our own all the same, and are back in it afterwards.
import { expect } from "bun:test";
import { join } from "node:path";
import { readCoreModes } from "../../../src/host/core-modes.ts";
import { seesHostProcesses } from "../../../src/host/host-namespace.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { gatedTest, kernelObstacle, missingProgram, mountObstacle } from "../../support/gate.ts";
import { runTool } from "../../support/run-tool.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const SOURCES = join(import.meta.dir, "../../../src");
const obstacles = [
  kernelObstacle(),
  mountObstacle(),
  (await readCoreModes("/proc")).includes("socket")
    ? undefined
    : "needs a kernel with the coredump socket",
  seesHostProcesses() ? undefined : "needs the host's PID namespace",
];

/** Writes a pattern in a mount namespace that alone has the file `only`; what it sees before and after. */
async function writeFrom(folder: string, pattern: string, prefix: readonly string[] = []) {
  const script = `
    import { existsSync, readFileSync, readlinkSync } from "node:fs";
    import { writeSysctl } from "${SOURCES}/host/sysctl.ts";
    import { CORE_PATTERN } from "${SOURCES}/model/sysctls.ts";
    const ns = () => readlinkSync("/proc/thread-self/ns/mnt");
    const before = { ns: ns(), cwd: process.cwd() };
    const error = await writeSysctl("/proc", CORE_PATTERN, ${JSON.stringify(pattern)}).then(
      () => null,
      ({ message, hint, cause }) => [message, hint, cause?.message].join("; "),
    );
    const after = { ns: ns(), cwd: process.cwd() };
    const onlyHere = existsSync(${JSON.stringify(join(folder, "only"))});
    console.log(JSON.stringify({ error, before, after, onlyHere, hosts: readlinkSync("/proc/2/ns/mnt") }));
  `;
  const shell = `mount -t tmpfs tmpfs "$0" && touch "$0/only" && cd "$0" && exec "$@"`;
  const command = [...prefix, process.execPath, "-e", script];
  return JSON.parse(
    await runTool(["unshare", "-m", "sh", "-c", shell, folder, ...command]),
  ) as Record<string, unknown>;
}

gatedTest("a socket's pattern goes in from a mount namespace of our own", obstacles, async () => {
  await withFolder((folder) =>
    withKernel({ corePattern: "core" }, async () => {
      for (const pattern of [`@@${folder}/x.sock`, `@${folder}/x.sock`]) {
        const told = await writeFrom(folder, pattern);
        expect(told).toMatchObject({ error: null, onlyHere: true });
        expect(told["after"]).toEqual(told["before"]);
        expect((told["before"] as { ns: string }).ns).not.toBe(told["hosts"] as string);
        expect(readKernel().corePattern).toBe(pattern);
      }
    }),
  );
});

gatedTest(
  "without the right to enter it, the error says what is missing, and nothing is changed",
  [...obstacles, missingProgram("setpriv")],
  async () => {
    await withFolder((folder) =>
      withKernel({ corePattern: "core" }, async () => {
        const without = ["setpriv", "--bounding-set", "-sys_admin"];
        const told = await writeFrom(folder, `@@${folder}/x.sock`, without);
        expect(told["error"]).toContain("cannot enter the host's mount namespace");
        expect(told["error"]).toContain("hostPID");
        expect(told["after"]).toEqual(told["before"]);
        expect(readKernel().corePattern).toBe("core");
      }),
    );
  },
);

gatedTest("what the kernel refuses from anywhere stays refused", obstacles, async () => {
  await withFolder((folder) =>
    withKernel({ corePattern: "core" }, async () => {
      const told = await writeFrom(folder, "@relative");
      expect(told["error"]).toContain("this kernel does not know such a value");
      expect(readKernel().corePattern).toBe("core");
    }),
  );
});
