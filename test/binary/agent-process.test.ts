// The compiled agent as the process it is on a node: its memory, its end, and two of them on one CORE_DIR.
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand, startAgent } from "../support/agent-process.ts";
import { executablePath } from "../support/executable.ts";
import { freePort } from "../support/free-port.ts";
import { makeHostTree, type HostTree } from "../support/host-tree.ts";

const MIB = 2 ** 20;
const DUMPS = 200;

async function withHost(
  body: (host: HostTree, environment: Record<string, string>) => Promise<void>,
) {
  const host = makeHostTree();
  const PROC_ROOT = join(host.root, "proc");
  try {
    await body(host, { HOST_DIR: host.hostDir, PROC_ROOT, COMP_DISK_FREE: "0" });
  } finally {
    host.remove();
  }
}

/** Resident memory of a process, in bytes (proc(5)). */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

test("idle, with a bucket, metrics and every trigger, it stays below 64 MiB", async () => {
  await withHost(async (_host, environment) => {
    const HTTP_PORT = String(await freePort());
    const bucket = { S3_BUCKET_NAME: "b-1", S3_ACCESS_KEY: "a", S3_SECRET: "s" };
    const S3_ENDPOINT = `http://127.0.0.1:${await freePort()}`;
    const triggers = { INTERVAL: "200", USE_INOTIFY: "true" };
    const settings = { ...environment, ...bucket, ...triggers, HTTP_PORT, S3_ENDPOINT };
    const agent = await startAgent(await executablePath(), settings);
    await agent.saysEvent("http_listening");
    await Bun.sleep(5000);
    await fetch(`http://127.0.0.1:${HTTP_PORT}/metrics`);
    const resident = await residentBytes(agent.child.pid);
    console.log(`idle agent: ${(resident / MIB).toFixed(1)} MiB resident`);
    agent.child.kill("SIGTERM");
    expect(await agent.child.exited).toBe(0);
    expect(resident).toBeLessThan(64 * MIB);
  });
}, 60_000);

test("two agents and a sweep on one CORE_DIR deliver every dump once", async () => {
  await withHost(async (host, environment) => {
    const store = join(host.root, "store");
    const cores = join(host.hostDir, "cores");
    for (const folder of [store, cores]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (let dump = 0; dump < DUMPS; dump++)
      writeFileSync(join(cores, `dump-${dump}.zip`), `content ${dump}`);
    const settings = { ...environment, STORE_URL: `file://${store}`, INTERVAL: "50" };
    const executable = await executablePath();
    const agents = await Promise.all([
      startAgent(executable, settings),
      startAgent(executable, settings),
    ]);
    const sweep = runCommand(executable, ["sweep"], settings);
    const deadlineMs = Date.now() + 60_000;
    while (readdirSync(cores).length > 0 && Date.now() < deadlineMs) await Bun.sleep(50);
    await sweep;
    for (const { child } of agents) child.kill("SIGTERM");
    expect(await Promise.all(agents.map(({ child }) => child.exited))).toEqual([0, 0]);
    expect(readdirSync(cores)).toEqual([]);
    expect(readdirSync(store)).toHaveLength(DUMPS);
    for (const name of readdirSync(store))
      expect(await readFile(join(store, name), "utf8")).toBe(
        `content ${/\d+/.exec(name)?.[0] ?? ""}`,
      );
  });
}, 120_000);

test("wrong settings stop it with a line for each, and change nothing", async () => {
  await withHost(async (host, environment) => {
    const before = host.snapshot();
    const wrong = { INTERVAL: "soon", SCHEDULE: "* * *", COMP_TIMEOUT: "0", S3_ACCESS_KEY: "only" };
    const run = await runCommand(await executablePath(), ["agent"], { ...environment, ...wrong });
    expect(run.exitCode).toBe(2);
    expect(run.stderr.trimEnd().split("\n")).toHaveLength(5);
    for (const variable of ["INTERVAL", "SCHEDULE", "COMP_TIMEOUT", "S3_SECRET"])
      expect(run.stderr).toContain(variable);
    expect(host.snapshot()).toEqual(before);
  });
});

test("an unknown command and an unknown flag are named", async () => {
  const executable = await executablePath();
  for (const wrong of ["frobnicate", "--frobnicate"]) {
    const run = await runCommand(executable, [wrong], {});
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toContain(wrong);
  }
});
