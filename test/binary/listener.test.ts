// The listener as a program: how it answers, keeps its socket, gives way and ends. No kernel setting is touched.
import { expect, test } from "bun:test";
import { existsSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { askListener } from "../../src/agent/listener-watch.ts";
import { executablePath } from "../support/executable.ts";
import { askUntilAnswered, startListener, type TestListener } from "../support/listener.ts";
import { withFolder } from "../support/temporary-folder.ts";

function withListener(body: (hostDir: string, listener: TestListener) => Promise<void>) {
  return withFolder(async (hostDir) => {
    const listener = await startListener(hostDir);
    try {
      await body(hostDir, listener);
    } finally {
      await listener.stop();
    }
  });
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

test("it says who it is", () =>
  withListener(async (hostDir, { pid }) => {
    const answer = await askUntilAnswered(hostDir);
    expect(answer?.keeper).toBe(pid);
    expect(answer?.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(answer?.executable).toBe(await executablePath());
  }));

test("SIGTERM ends both of its processes and takes the socket away", () =>
  withListener(async (hostDir, listener) => {
    const worker = (await askUntilAnswered(hostDir))?.worker ?? 0;
    await listener.stop();
    expect([isAlive(listener.pid), isAlive(worker)]).toEqual([false, false]);
    expect(existsSync(join(hostDir, "cdc.sock"))).toBe(false);
  }));

test("a socket whose file was deleted is made again", () =>
  withListener(async (hostDir) => {
    const before = await askUntilAnswered(hostDir);
    unlinkSync(join(hostDir, "cdc.sock"));
    const after = await askUntilAnswered(hostDir, before?.keeper ?? 0);
    expect(after?.keeper).toBe(before?.keeper ?? 0);
    expect(after?.worker).not.toBe(before?.worker);
  }));

test("a second listener takes over, and the first one ends", () =>
  withListener(async (hostDir, first) => {
    const second = await startListener(hostDir);
    try {
      while (isAlive(first.pid)) await Bun.sleep(20);
      expect((await askListener(hostDir))?.keeper).toBe(second.pid);
    } finally {
      await second.stop();
    }
  }));

test("what it does not understand, or cannot do, is said in one line", async () => {
  const program = await executablePath();
  for (const [args, hostDir, message] of [
    [["--port=7"], "/tmp", 'core-dump-handler: listen does not take "--port=7"'],
    [[], "/nonexistent/h", "core-dump-handler: cannot make the socket /nonexistent/h/cdc.sock"],
    [[], "relative", "HOST_DIR"],
  ] as const) {
    const child = Bun.spawn([program, "listen", ...args], {
      env: { HOST_DIR: hostDir },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said = await child.stderr.text();
    expect(said).toContain(message);
    expect(said.trimEnd().split("\n")).toHaveLength(1);
    expect(await child.exited).not.toBe(0);
  }
});
