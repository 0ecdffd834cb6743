// The tenants' campaign: two honest tenants crash again and again beside a hostile one, through the kernel, containerd,
// the agent and a store, all real. Afterwards every honest crash must be in the store: once, whole, rightly named.
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand, startAgent, type AgentProcess } from "./agent-process.ts";
import { withKernel } from "./borrowed-kernel.ts";
import { openCampaignStore, type CampaignStore } from "./campaign-store.ts";
import { startContainerd, type Containerd } from "./containerd.ts";
import { measureCore } from "./core-size.ts";
import { readInfo } from "./dump-check.ts";
import { executablePath } from "./executable.ts";
import { freePort } from "./free-port.ts";
import { watchMemory, type MemoryPeaks } from "./memory-watch.ts";
import { startHonest, startHostile, type HonestTenant } from "./tenants.ts";
import { extract, extractText } from "./zip-readers.ts";

export interface TenantsPlan {
  folder: string;
  minutes: number;
  /** Between two crashes of an honest tenant. */
  intervalMs: number;
  /** Between two crashes of the hostile one, beside those that it keeps under way. */
  hostileMs: number;
  store: "directory" | "s3";
  capture: "pipe" | "socket" | "file";
  /** TIMEOUT of the composers, in seconds. */
  timeout: number;
  say: (line: string) => void;
}

export interface Verdict {
  process: string;
  namespace: string;
  /** What is wrong; undefined for a crash that was delivered once, whole and rightly named. */
  wrong: string | undefined;
}

export interface TenantsFigures {
  verdicts: Verdict[];
  memory: MemoryPeaks;
  /** Events of composers and agent, by name. */
  events: Record<string, number>;
  /** Whatever was delivered. */
  delivered: number;
}

const HONEST = ["alpha", "beta"];
const CORE_MEGABYTES = 8;
/** For what is still on its way when the last crash is over. */
const SETTLE_MS = 180_000;
const SAY_EVERY_MS = 30_000;

export async function runTenantsCampaign(plan: TenantsPlan): Promise<TenantsFigures> {
  const { folder } = plan;
  // A core file needs RLIMIT_CORE, which containers have from their runtime.
  const wrapper = plan.capture === "file" ? ["prlimit", "--core=unlimited"] : [];
  const containerd = await startContainerd(folder, { wrapper });
  try {
    const store = await openCampaignStore(plan.store, folder);
    const executable = await executablePath();
    const port = await freePort();
    const environment = environmentOf(plan, containerd, store, port);
    return await withKernel({}, async () => {
      const agent = await startAgent(executable, environment, {
        timeoutMs: plan.minutes * 60_000 + 600_000,
      });
      await agent.saysEvent("installed");
      try {
        return await crashBeside(plan, { containerd, agent, store, port });
      } finally {
        agent.child.kill("SIGTERM");
        await agent.child.exited;
        const log = agent.lines.map((line) => `${JSON.stringify(line)}\n`).join("");
        await writeFile(join(folder, "agent.log"), log);
        await runCommand(executable, ["remove"], environment);
      }
    });
  } finally {
    await containerd.stop();
  }
}

function environmentOf(
  { folder, intervalMs, minutes, capture, timeout }: TenantsPlan,
  { socket }: Containerd,
  { variables }: CampaignStore,
  port: number,
): Record<string, string> {
  const crashes = Math.ceil((minutes * 60_000) / intervalMs);
  return {
    ...variables,
    HOST_DIR: join(folder, "h"),
    HTTP_PORT: String(port),
    USE_INOTIFY: "true",
    INTERVAL: "5000",
    CAPTURE_MODE: capture,
    CRIO_ENDPOINT: `unix://${socket}`,
    COMP_INCLUDE_PROC_INFO: "true",
    COMP_CORE_EVENTS: "true",
    COMP_TIMEOUT: String(timeout),
    // An honest tenant of this campaign is a crash loop; its limit is not the subject.
    COMP_CRASH_LOOP_LIMIT: String(Math.max(250, 2 * crashes)),
  };
}

interface Scene {
  containerd: Containerd;
  agent: AgentProcess;
  store: CampaignStore;
  port: number;
}

async function crashBeside(plan: TenantsPlan, scene: Scene): Promise<TenantsFigures> {
  const { containerd, agent, store, port } = scene;
  const hostDir = join(plan.folder, "h");
  const endMemory = watchMemory(hostDir, agent.child.pid);
  const tenants = await Promise.all(
    HONEST.map((name) => startHonest(containerd, name, CORE_MEGABYTES)),
  );
  const victim = HONEST[0] ?? "";
  const endHostile = await startHostile(containerd, { victim, port, everyMs: plan.hostileMs });
  const startedMs = performance.now();
  let saidMs = startedMs;
  while (performance.now() - startedMs < plan.minutes * 60_000) {
    for (const tenant of tenants) tenant.crash();
    await Bun.sleep(plan.intervalMs);
    if (performance.now() - saidMs < SAY_EVERY_MS) continue;
    saidMs = performance.now();
    plan.say(`${minutesSince(startedMs)} min: ${await describe(agent, store)}`);
  }
  endHostile();
  await settle(join(hostDir, "cores"), plan.say);
  const verdicts = await judge(tenants, store);
  const events = countEvents(agent);
  const delivered = (await store.keys()).length;
  return { verdicts, memory: await endMemory(), events, delivered };
}

async function describe(agent: AgentProcess, store: CampaignStore): Promise<string> {
  const events = countEvents(agent);
  const count = (name: string) => `${events[name] ?? 0} ${name}`;
  const told = ["dump_started", "dump_published", "dump_suppressed", "process_killed"].map(count);
  return `${told.join(", ")}, ${(await store.keys()).length} in the store`;
}

/** Until CORE_DIR has no dump any more, whole or under way. */
async function settle(coreDir: string, say: (line: string) => void): Promise<void> {
  for (const endMs = performance.now() + SETTLE_MS; performance.now() < endMs;) {
    if ((await readdir(coreDir)).length === 0) return;
    await Bun.sleep(200);
  }
  say(`after ${SETTLE_MS / 1000} s there is still something in ${coreDir}`);
}

async function judge(tenants: readonly HonestTenant[], store: CampaignStore): Promise<Verdict[]> {
  const keys = await store.keys();
  const verdicts: Verdict[] = [];
  for (const tenant of tenants)
    for (const process of await tenant.crashed()) {
      const wrong = await findFault(tenant, process, keys, store);
      verdicts.push({ process, namespace: tenant.namespace, wrong });
    }
  return verdicts;
}

async function findFault(
  { namespace, podname }: HonestTenant,
  process: string,
  keys: readonly string[],
  store: CampaignStore,
): Promise<string | undefined> {
  // The process's name is in its dump's; what else is in there is checked below.
  const [key, ...others] = keys.filter((name) => name.includes(`-${process}-`));
  if (key === undefined) return "not delivered";
  if (others.length > 0) return `delivered ${others.length + 1} times`;
  const zip = await store.fetch(key);
  const { success } = Bun.spawnSync(["unzip", "-tqq", zip]);
  if (!success) return `${key} is no whole zip`;
  const info = await readInfo(zip);
  const expected = { exe: process, namespace, podname, container_name: "app", signal: "11" };
  for (const [name, value] of Object.entries(expected))
    if (info[name] !== value) return `its ${name} is ${JSON.stringify(info[name])}`;
  const { received, announced } = await measureCore(extract(zip, "*.core"));
  if (info["core_complete"] !== true || received !== announced)
    return `cut: ${received} of ${announced} bytes, ${String(info["truncated_by"])}`;
  const log = await extractText(zip, "*-0.log");
  return log.split("\n").includes(`crash ${process}`)
    ? undefined
    : "its container's log is not in it";
}

function countEvents({ lines }: AgentProcess): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { event } of lines) counts[String(event)] = (counts[String(event)] ?? 0) + 1;
  return counts;
}

function minutesSince(startedMs: number): string {
  return ((performance.now() - startedMs) / 60_000).toFixed(1);
}

/** One line a crash, then the figures. */
export function formatTenantsCampaign({
  verdicts,
  memory,
  events,
  delivered,
}: TenantsFigures): string {
  const wrong = verdicts.filter((verdict) => verdict.wrong !== undefined);
  const told = Object.entries(events).map(([event, count]) => `${event} ${count}`);
  return [
    ...verdicts.map(
      (verdict) =>
        `${verdict.namespace} ${verdict.process}: ${verdict.wrong ?? "delivered, whole, rightly named"}`,
    ),
    `honest    ${verdicts.length} crashes, ${verdicts.length - wrong.length} delivered whole and rightly named, ${wrong.length} not`,
    `store     ${delivered} dumps in all`,
    `composers ${memory.composerMiB.toFixed(1)} MiB at most (${memory.composerOwnMiB.toFixed(1)} of their own), ${memory.composers} at once`,
    `agent     ${memory.agentMiB.toFixed(1)} MiB at most`,
    `events    ${told.sort().join(", ")}`,
  ].join("\n");
}
