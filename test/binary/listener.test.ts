// The listener as a program: how it answers, keeps its socket, gives way and ends. No kernel setting is touched.
import { expect, test } from "bun:test";
import { existsSync, unlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { askListener } from "../../src/agent/install/listener-process.ts";
import { executablePath } from "../support/executable.ts";
import { gatedTest, mountObstacle } from "../support/gate.ts";
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

/** Sends the text and waits until the listener is done with us. */
async function say(text: string, hostDir: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(join(hostDir, "cdc.sock"));
  for (const event of ["error", "close"]) socket.on(event, () => resolve());
  socket.resume().write(text);
  await promise;
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

test("SIGTERM ends a keeper whose worker is stopped", () =>
  withListener(async (hostDir, listener) => {
    process.kill((await askUntilAnswered(hostDir))?.worker ?? 0, "SIGSTOP");
    await listener.stop();
    expect(isAlive(listener.pid)).toBe(false);
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
    [["--backlog=7"], "/tmp", "core-dump-handler: listen has no option --backlog"],
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

test("a peer that speaks first and is none of the kernel's crashes gets no composer", () =>
  withListener(async (hostDir) => {
    await say("\x7fELF, or so it says", hostDir);
    expect(existsSync(join(hostDir, "cores"))).toBe(false);
    expect(await askUntilAnswered(hostDir)).toBeDefined();
  }));

gatedTest("a crash that the listener cannot see leaves a line", [mountObstacle()], () =>
  withFolder(async (hostDir) => {
    const program = await executablePath();
    const listener = Bun.spawn(["unshare", "-pf", "--mount-proc", program, "listen"], {
      env: { HOST_DIR: hostDir },
      stdio: ["ignore", "ignore", "ignore"],
    });
    try {
      while (!existsSync(join(hostDir, "cdc.sock"))) await Bun.sleep(20);
      await say("\x7fELF", hostDir);
      const log = await readFile(join(hostDir, "composer.log"), "utf8");
      expect(log).toContain('"event":"dump_failed"');
      expect(log).toContain("the listener needs hostPID");
    } finally {
      listener.kill("SIGKILL");
      await listener.exited;
    }
  }),
);
