import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watchLimits } from "../../../src/listener/composer-limits.ts";
import { withFolder } from "../../support/temporary-folder.ts";

function withHost(body: (hostDir: string, procRoot: string) => Promise<void>) {
  return withFolder(async (folder) => {
    mkdirSync(join(folder, "proc/sys/kernel"), { recursive: true });
    writeFileSync(join(folder, "proc/sys/kernel/core_pipe_limit"), "7\n");
    await body(folder, join(folder, "proc"));
  });
}

test("they are the host's own, as they are now", () =>
  withHost(async (hostDir, procRoot) => {
    const limits = watchLimits(hostDir, procRoot);
    expect(limits.current.atOnce).toBe(7);
    writeFileSync(join(procRoot, "sys/kernel/core_pipe_limit"), "1\n");
    // Without a refresh: the very next crash counts.
    expect(limits.current.atOnce).toBe(1);
    writeFileSync(join(hostDir, ".env"), "TIMEOUT=9\nCORE_DIR=/var/cores\n");
    await limits.refresh();
    expect(limits.current).toEqual({ coreDir: "/var/cores", atOnce: 1, timeoutMs: 9000 });
    writeFileSync(join(hostDir, ".env"), "TIMEOUT=8\n");
    await limits.refresh();
    expect(limits.current).toMatchObject({ coreDir: join(hostDir, "cores"), timeoutMs: 8000 });
  }));

test("a FIFO in the place of .env keeps nobody waiting", () =>
  withHost(async (hostDir, procRoot) => {
    expect(Bun.spawnSync(["mkfifo", join(hostDir, ".env")]).exitCode).toBe(0);
    const limits = watchLimits(hostDir, procRoot);
    await limits.refresh();
    expect(limits.current).toMatchObject({ atOnce: 7, timeoutMs: 600_000 });
  }));
