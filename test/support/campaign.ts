// The fault campaign: dumps of all sizes to a real S3 server through a proxy that injects faults, by a
// process that is killed (SIGKILL) at random moments. Afterwards every object must be there once and whole.
// Batches keep it within the server's 4 GiB of memory.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeBucket, type Bucket } from "./bucket.ts";
import { sha256Of, writeDump } from "./dumps.ts";
import { seededRandom, startFaultProxy, type Fault, type FaultProxy } from "./fault-proxy.ts";
import { startSweep } from "./sweep-process.ts";
import { bucketVariables } from "./store-settings.ts";
import { startTlsFront } from "./tls-front.ts";

export interface CampaignPlan {
  folder: string;
  dumps: number;
  minBytes: number;
  maxBytes: number;
  kills: number;
  /** Objects of a batch are checked and deleted before the next begins. */
  batches: number;
  seed: number;
  rates: Partial<Record<Fault, number>>;
  /** The agent speaks TLS, and bodies go by another path (s3-body.ts). */
  tls: boolean;
  say?: (line: string) => void;
}

export interface CampaignFigures {
  dumps: number;
  bytes: number;
  /** Objects that were there once and byte-identical. */
  intact: number;
  /** What is wrong, a line each; empty when all is well. */
  problems: string[];
  kills: number;
  processes: number;
  resumed: number;
  requests: number;
  faults: Record<Fault, number>;
  seconds: number;
}

export const MIXED_RATES: Partial<Record<Fault, number>> = {
  reset: 0.02,
  lost_answer: 0.02,
  stall: 0.005,
  error_500: 0.02,
  slow_down_503: 0.02,
  too_many_429: 0.005,
  truncated_answer: 0.015,
  error_in_200: 0.15,
  slow_read: 0.02,
  clock_skew: 0.01,
};

/** Processes after which a batch that is not through is called stuck. */
const PROCESSES_MAX = 400;

export async function runCampaign(plan: CampaignPlan): Promise<CampaignFigures> {
  const startedMs = performance.now();
  const random = seededRandom(plan.seed);
  const bucket = await makeBucket();
  const proxy = await startFaultProxy(bucket.server.endpoint, plan.seed);
  proxy.setRates(plan.rates);
  const front = plan.tls ? await startTlsFront(proxy.endpoint) : undefined;
  const address: Record<string, string> =
    front === undefined
      ? { S3_ENDPOINT: proxy.endpoint }
      : { S3_ENDPOINT: front.endpoint, STORE_CA_BUNDLE: front.caPath };
  const figures: CampaignFigures = {
    dumps: plan.dumps,
    bytes: 0,
    intact: 0,
    problems: [],
    kills: 0,
    processes: 0,
    resumed: 0,
    requests: 0,
    faults: proxy.counts,
    seconds: 0,
  };
  for (let batch = 0; batch < plan.batches; batch++) {
    const coreDir = join(plan.folder, `batch-${batch}`);
    mkdirSync(coreDir);
    const share = Math.floor(plan.dumps / plan.batches);
    const count = batch === 0 ? plan.dumps - share * (plan.batches - 1) : share;
    const wanted = await writeBatch(coreDir, count, batch, plan, random);
    figures.bytes += [...wanted.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const kills = Math.round((plan.kills * (batch + 1)) / plan.batches);
    await deliverBatch(coreDir, kills, { address, bucket, proxy, random, figures });
    await checkBatch(coreDir, wanted, bucket, figures);
    plan.say?.(
      `batch ${batch + 1} of ${plan.batches}: ${figures.intact} intact, ${figures.kills} kills, ` +
        `${proxy.requests()} requests, ${figures.problems.length} problems`,
    );
    rmSync(coreDir, { recursive: true });
  }
  front?.stop();
  proxy.stop();
  figures.requests = proxy.requests();
  figures.seconds = (performance.now() - startedMs) / 1000;
  return figures;
}

interface Wanted {
  bytes: number;
  sha256: string;
}

/** Sizes are spread evenly over the orders of magnitude; the smallest and the largest are among them. */
async function writeBatch(
  coreDir: string,
  count: number,
  batch: number,
  { minBytes, maxBytes }: CampaignPlan,
  random: () => number,
): Promise<Map<string, Wanted>> {
  const wanted = new Map<string, Wanted>();
  for (let index = 0; index < count; index++) {
    const spread = batch === 0 && index < 2 ? index : random();
    const coreBytes = Math.round(minBytes * (maxBytes / minBytes) ** spread);
    const name = `dump-${batch}-${index}.zip`;
    const path = writeDump(coreDir, name, { coreBytes });
    wanted.set(name, { bytes: statSync(path).size, sha256: await sha256Of(path) });
  }
  return wanted;
}

interface Running {
  address: Record<string, string>;
  bucket: Bucket;
  proxy: FaultProxy;
  random: () => number;
  figures: CampaignFigures;
}

async function deliverBatch(
  coreDir: string,
  killsByThen: number,
  { address, bucket, proxy, random, figures }: Running,
): Promise<void> {
  const variables = bucketVariables(bucket, {
    ...address,
    STORE_TIMEOUT: "2",
    STORE_MIN_SPEED: String(2 ** 20),
  });
  // Notes of uploads that the store would not let go of are worked off by later sweeps, as in an agent's life.
  for (let started = 0; readdirSync(coreDir).length > 0; started++) {
    if (started === PROCESSES_MAX) {
      figures.problems.push(`${dumpsIn(coreDir)} dumps not delivered by ${started} processes`);
      return;
    }
    figures.processes++;
    const { process, ended } = await startSweep(coreDir, variables);
    if (figures.kills < killsByThen) {
      await randomMoment(process, proxy, random);
      if (process.exitCode === null && process.signalCode === null) {
        process.kill("SIGKILL");
        figures.kills++;
      }
    }
    const { log } = await ended;
    figures.resumed += log.split("upload_resumed").length - 1;
  }
}

/** A few requests from now, in the middle of one; measured in requests, so that a fast machine is no excuse. */
async function randomMoment(
  process: Bun.Subprocess,
  proxy: FaultProxy,
  random: () => number,
): Promise<void> {
  const until = proxy.requests() + 1 + Math.floor(random() * 8);
  while (proxy.requests() < until && process.exitCode === null) await Bun.sleep(2);
  await Bun.sleep(random() * 60);
}

function dumpsIn(coreDir: string): number {
  return readdirSync(coreDir).filter((name) => name.endsWith(".zip")).length;
}

async function checkBatch(
  coreDir: string,
  wanted: ReadonlyMap<string, Wanted>,
  bucket: Bucket,
  figures: CampaignFigures,
): Promise<void> {
  const keys = await bucket.keys();
  for (const key of keys) if (!wanted.has(key)) figures.problems.push(`${key} is one too many`);
  for (const [name, { sha256 }] of wanted) {
    if (!keys.includes(name)) figures.problems.push(`${name} is missing`);
    else if ((await bucket.sha256(name)) !== sha256) figures.problems.push(`${name} differs`);
    else figures.intact++;
  }
  for (const key of await bucket.unfinished())
    figures.problems.push(`an unfinished upload of ${key} is left`);
  if (existsSync(coreDir))
    for (const name of readdirSync(coreDir)) figures.problems.push(`${name} is left in the folder`);
  for (const key of keys) await bucket.remove(key);
}

export function formatCampaign(figures: CampaignFigures): string {
  const faults = Object.entries(figures.faults).map(([fault, count]) => `${fault} ${count}`);
  return [
    `dumps     ${figures.dumps}, ${(figures.bytes / 1e6).toFixed(1)} MB`,
    `intact    ${figures.intact} (present once, byte-identical)`,
    `killed    ${figures.kills} times, ${figures.processes} processes, ${figures.resumed} uploads resumed`,
    `requests  ${figures.requests}`,
    `faults    ${faults.join(", ")}`,
    `time      ${figures.seconds.toFixed(0)} s`,
    `problems  ${figures.problems.length}${figures.problems.map((line) => `\n  ${line}`).join("")}`,
  ].join("\n");
}
