// The whole road with accidents: real crashes, composers killed at random moments, an agent that seals what
// they left, delivers everything once and reports it.
import { expect } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import parsePrometheus from "parse-prometheus-text-format";
import { startAgent, runCommand, type AgentProcess } from "../../support/agent-process.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";

import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { checkDump } from "../../support/dump-check.ts";
import { executablePath } from "../../support/executable.ts";
import { freePort } from "../../support/free-port.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { uuidOfPartial } from "../../../src/model/core-file.ts";
import { composersAtWork } from "../../support/installed-composer.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [kernelObstacle(), compilerObstacle(), readersObstacle()];
/** Moments tried; CDH_TEST_ROUNDS=50 for the long campaign. */
const ROUNDS = Number(process.env["CDH_TEST_ROUNDS"] ?? 12);

gatedTest(
  `composers killed at ${ROUNDS} random moments: everything that reached the disk is delivered, once`,
  obstacles,
  async () => {
    const executable = await executablePath();
    await withFolder(async (folder) => {
      const [HOST_DIR, store] = [join(folder, "h"), join(folder, "store")];
      await mkdir(store);
      const HTTP_PORT = String(await freePort());
      const unlimited = { COMP_CRASH_LOOP_LIMIT: "0", COMP_DISK_FREE: "0" };
      const STORE_URL = `file://${store}`;
      const where = { HOST_DIR, HTTP_PORT, STORE_URL, USE_INOTIFY: "true" };
      const environment = { ...where, ...unlimited, COMP_IGNORE_CRIO: "true" };
      await withKernel({}, async () => {
        const before = readKernel();
        const agent = await startAgent(executable, environment);
        await agent.saysEvent("installed");
        const onDisk = await crashAndKill(HOST_DIR);
        await settle(agent, join(HOST_DIR, "cores"));
        const families = await readMetrics(HTTP_PORT);
        agent.child.kill("SIGTERM");
        expect(await agent.child.exited).toBe(0);
        await checkDelivered(agent, store, families, onDisk);
        expect((await runCommand(executable, ["remove"], environment)).exitCode).toBe(0);
        expect(readKernel()).toEqual(before);
      });
    });
  },
);

/** The uuids of the dumps that had a file when their composer was dead. */
async function crashAndKill(hostDir: string): Promise<Set<string>> {
  const onDisk = new Set<string>();
  let longestMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const sleeper = await startSleeper("mapping", ["64"]);
    const crash = sleeper.crash();
    // The first is let be: its time is the span in which the others' composers are killed.
    if (round > 0) {
      await Bun.sleep(Math.random() * longestMs);
      for (const pid of await composersAtWork(join(hostDir, "cdc"))) process.kill(pid, "SIGKILL");
    }
    const { heldMs } = await crash;
    if (round === 0) longestMs = heldMs;
    // The agent does not touch what is younger than two seconds, but it delivers zips: those are in the store.
    for (const name of await readdir(join(hostDir, "cores"))) {
      const uuid = uuidOfPartial(name);
      if (uuid !== undefined) onDisk.add(uuid);
    }
  }
  return onDisk;
}

/** Until nothing is left in CORE_DIR, and composer.log's last lines were repeated. */
async function settle(agent: AgentProcess, coreDir: string): Promise<void> {
  const deadlineMs = Date.now() + 120_000;
  while ((await readdir(coreDir)).length > 0) {
    if (Date.now() > deadlineMs) throw new Error(`left: ${(await readdir(coreDir)).join(" ")}`);
    if (agent.child.exitCode !== null) throw new Error("the agent ended");
    await Bun.sleep(100);
  }
  await Bun.sleep(1500);
}

async function readMetrics(port: string): Promise<Map<string, number>> {
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return new Map(
    parsePrometheus(text).map(({ name, metrics }) => [
      name.replace("core_dump_handler_", ""),
      metrics.reduce((sum, { value }) => sum + Number(value ?? 0), 0),
    ]),
  );
}

async function checkDelivered(
  agent: AgentProcess,
  store: string,
  metrics: Map<string, number>,
  onDisk: ReadonlySet<string>,
): Promise<void> {
  const events = (name: string) => agent.lines.filter(({ event }) => event === name);
  const [started, published] = [events("dump_started"), events("dump_published")];
  const [recovered, discarded] = [events("partial_recovered"), events("partial_discarded")];
  const zips = await readdir(store);
  const delivered = new Set<unknown>();
  let killed = 0;
  for (const zip of zips) {
    const { info } = await checkDump(join(store, zip));
    delivered.add(info["uuid"]);
    if (info["truncated_by"] === "killed") killed++;
  }
  console.log(
    `${ROUNDS} rounds: ${started.length} dumps, ${published.length} published, ` +
      `${recovered.length} recovered (${killed} cut short), ${discarded.length} with an empty file`,
  );
  // A composer killed between publishing and saying so leaves a zip of which no line tells.
  const told = [...published, ...recovered].map(({ uuid }) => uuid);
  expect(told.filter((uuid) => !delivered.has(uuid))).toEqual([]);
  expect(delivered.size).toBe(zips.length);
  // One killed between its first line and its file leaves only the line.
  const ended = new Set([...delivered, ...discarded.map(({ uuid }) => uuid)]);
  expect([...onDisk].filter((uuid) => !ended.has(uuid))).toEqual([]);
  expect(ended.isSubsetOf(new Set(started.map(({ uuid }) => uuid)))).toBe(true);
  expect(new Set(events("upload_finished").map(({ key }) => key)).size).toBe(zips.length);
  expect(metrics.get("crashes_total")).toBe(started.length);
  expect(metrics.get("dumps_recovered_total")).toBe(recovered.length);
  expect(metrics.get("backlog_files")).toBeDefined();
  expect(metrics.get("installed")).toBe(1);
  if (ROUNDS > 5) expect(recovered.length).toBeGreaterThan(0);
}
