// The compiled agent's port under an attack by whoever reaches it: its memory limit (image.limit_mem, 128 MiB) is the
// node's protection from us, and must not become a way to end us.
import { expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { startAgent } from "../support/agent-process.ts";
import { executablePath } from "../support/executable.ts";
import { freePort } from "../support/free-port.ts";
import { makeHostTree } from "../support/host-tree.ts";
import { watchPeak } from "../support/peak-memory.ts";

const CONNECTIONS = 5_000;
const AT_ONCE = 100;
const PEAK_MAX_MIB = 100;

test("5,000 connections with unfinished heads cost little, and a probe is answered among them", async () => {
  const host = makeHostTree();
  const port = await freePort();
  const agent = await startAgent(await executablePath(), {
    HOST_DIR: host.hostDir,
    PROC_ROOT: join(host.root, "proc"),
    COMP_DISK_FREE: "0",
    HTTP_PORT: String(port),
    HTTP_ADDRESS: "127.0.0.1",
  });
  const sockets: Socket[] = [];
  try {
    expect(await agent.saysEvent("http_listening")).toMatchObject({ address: "127.0.0.1", port });
    const peakMib = watchPeak(agent.child.pid);
    for (let n = 0; n < CONNECTIONS; n += AT_ONCE) {
      const opened = Array.from({ length: AT_ONCE }, () => attack(port));
      sockets.push(...opened.map(({ socket }) => socket));
      await Promise.all(opened.map(({ connected }) => connected));
    }
    for (const path of ["healthz", "metrics"])
      expect((await fetch(`http://127.0.0.1:${port}/${path}`)).status).toBe(200);
    expect(fetch(`http://127.0.0.2:${port}/healthz`)).rejects.toThrow();
    const peak = peakMib();
    console.log(`agent under ${CONNECTIONS} connections: ${peak.toFixed(1)} MiB at most`);
    expect(peak).toBeLessThan(PEAK_MAX_MIB);
  } finally {
    for (const socket of sockets) socket.destroy();
    agent.child.kill("SIGTERM");
    await agent.child.exited;
    host.remove();
  }
}, 60_000);

/** A connection that sends most of what a head may have, and not its end. */
function attack(port: number): { socket: Socket; connected: Promise<void> } {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("connect", () => {
    socket.write(`GET /metrics HTTP/1.1\r\nX: ${"a".repeat(8_000)}`);
    resolve();
  });
  socket.on("error", () => resolve());
  return { socket, connected: promise };
}
