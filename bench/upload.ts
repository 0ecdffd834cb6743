// `bun bench/upload.ts [--store s3] [--bytes 5000000000] [--rounds 3]`: one zip to a real S3 server (radosgw over
// memory), by the compiled executable's `sweep` and by `rclone copy` in turn; or, by `sweep` alone, to Azurite (azure:
// on this disk) or to our Cloud Storage server (google: it counts the bytes and drops them). Seconds, MB/s and peak RSS
// of each; what goes into docs/performance.md is the median.
import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeDump } from "../test/support/dumps.ts";
import { executablePath } from "../test/support/executable.ts";
import { KEY, makeContainer } from "../test/support/azurite.ts";
import { startGcsServer } from "../test/support/gcs-server.ts";
import { makeBucket, type Bucket } from "../test/support/bucket.ts";
import { watchPeak } from "../test/support/peak-memory.ts";
import { startRadosgw } from "../test/support/radosgw.ts";
import { bucketVariables } from "../test/support/store-settings.ts";

interface Run {
  seconds: number;
  peakMib: number;
  processorSeconds: number;
}

const { values } = parseArgs({
  options: {
    bytes: { type: "string", default: "5000000000" },
    rounds: { type: "string", default: "3" },
    store: { type: "string", default: "s3" },
  },
});
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), "cdh-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const executable = await executablePath();
const target = await openTarget(values.store);
const source = writeDump(folder, "T.zip", { coreBytes: Number(values.bytes) });
const { size } = statSync(source);
const { bucket } = target;
const PEERS: [string, (round: number) => Promise<Run>][] = [["sweep", sweep]];
if (bucket !== undefined) PEERS.push(["rclone copy", () => rcloneCopy(bucket)]);
const runs = new Map<string, Run[]>(PEERS.map(([name]) => [name, []]));
for (let round = 0; round < rounds; round++)
  for (const [name, run] of PEERS) {
    const measured = await run(round);
    if (bucket !== undefined) await free(bucket);
    runs.get(name)?.push(measured);
    console.log(describe(`${name}, round ${round + 1}`, measured));
  }
for (const [name, measured] of runs) console.log(describe(`${name}, median`, medianOf(measured)));
process.exit();

/** The file is linked, not copied: delivery removes its name, and the next round finds it in the page cache. */
async function sweep(round: number): Promise<Run> {
  const coreDir = join(folder, `sweep-${round}`);
  mkdirSync(coreDir);
  linkSync(source, join(coreDir, `T${round}.zip`));
  // As the agent runs: default part size and concurrency.
  const { STORE_PART_SIZE: _, ...variables } = target.variables;
  return measure([executable, "sweep"], { CORE_DIR: coreDir, HOST_DIR: coreDir, ...variables });
}

interface Target {
  variables: Record<string, string>;
  /** Where the peers go too, and what is freed between the rounds. */
  bucket: Bucket | undefined;
}

async function openTarget(store: string): Promise<Target> {
  switch (store) {
    case "s3": {
      await startRadosgw(Number(values.bytes) * 1.3 + 2 ** 30);
      const made = await makeBucket();
      return { variables: bucketVariables(made), bucket: made };
    }
    case "azure": {
      const { name, server } = await makeContainer();
      const variables = { STORE_URL: `${server.endpoint}/${name}`, AZURE_STORAGE_KEY: KEY };
      return { variables, bucket: undefined };
    }
    case "google": {
      const server = startGcsServer({ discards: true });
      const variables = {
        STORE_URL: `gs://${server.bucket}`,
        STORAGE_EMULATOR_HOST: server.endpoint,
      };
      return { variables, bucket: undefined };
    }
    default:
      throw new Error(`--store is s3, azure or google, not ${store}`);
  }
}

async function rcloneCopy(into: Bucket): Promise<Run> {
  const { endpoint, accessKey, secret } = into.server;
  const remote = `:s3,provider=Ceph,endpoint="${endpoint}",access_key_id=${accessKey},secret_access_key=${secret}:`;
  return measure(["rclone", "copy", source, `${remote}${into.name}`], {
    HOME: folder,
    PATH: process.env["PATH"] ?? "",
  });
}

async function measure(command: string[], env: Record<string, string>): Promise<Run> {
  const startedMs = performance.now();
  const child = Bun.spawn(command, { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const peak = watchPeak(child.pid);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const seconds = (performance.now() - startedMs) / 1000;
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${out}${err}`);
  const usage = child.resourceUsage();
  return {
    seconds,
    peakMib: peak(),
    processorSeconds: Number(usage?.cpuTime.total ?? 0) / 1e6,
  };
}

/** Deleted objects free their memory in the server's own time. */
async function free(from: Bucket): Promise<void> {
  for (const key of await from.keys()) await from.remove(key);
  await Bun.sleep(15_000);
}

function medianOf(measured: readonly Run[]): Run {
  const median = (pick: (run: Run) => number) =>
    measured.map(pick).sort((a, b) => a - b)[measured.length >> 1] ?? Number.NaN;
  return {
    seconds: median((run) => run.seconds),
    peakMib: median((run) => run.peakMib),
    processorSeconds: median((run) => run.processorSeconds),
  };
}

function describe(name: string, { seconds, peakMib, processorSeconds }: Run): string {
  const speed = size / 1e6 / seconds;
  return `${name.padEnd(22)} ${seconds.toFixed(1)} s  ${speed.toFixed(0)} MB/s  peak ${peakMib.toFixed(0)} MiB  cpu ${processorSeconds.toFixed(1)} s`;
}
