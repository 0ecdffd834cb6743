// `bun bench/upload-many.ts [--files 200] [--bytes 200000] [--rounds 5]`: a folder of small zips to a real S3 server
// (radosgw over memory), by the compiled executable's `sweep` and by `rclone copy` in turn, against the same server in
// one run. What goes into docs/performance.md is the median, and its ratio. Needs the Debian package rclone.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeDump } from "../test/support/dumps.ts";
import { executablePath } from "../test/support/executable.ts";
import { makeBucket } from "../test/support/bucket.ts";
import { watchPeak } from "../test/support/peak-memory.ts";
import { startRadosgw } from "../test/support/radosgw.ts";
import { bucketVariables } from "../test/support/store-settings.ts";

const { values } = parseArgs({
  options: {
    files: { type: "string", default: "200" },
    bytes: { type: "string", default: "200000" },
    rounds: { type: "string", default: "5" },
  },
});
const files = Number(values.files);
const folder = mkdtempSync(join(tmpdir(), "cdh-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const executable = await executablePath();
await startRadosgw();
const source = join(folder, "source");
mkdirSync(source);
for (let n = 0; n < files; n++) writeDump(source, `T${n}.zip`, { coreBytes: Number(values.bytes) });

interface Run {
  seconds: number;
  peakMib: number;
}

const runs: Record<"sweep" | "rclone copy", Run[]> = { sweep: [], "rclone copy": [] };
for (let round = 0; round < Number(values.rounds); round++) {
  runs.sweep.push(await sweep(round));
  runs["rclone copy"].push(await rcloneCopy(round));
}
for (const [name, measured] of Object.entries(runs)) {
  const seconds = medianOf(measured.map((run) => run.seconds));
  const peakMib = medianOf(measured.map((run) => run.peakMib));
  const all = measured.map((run) => run.seconds.toFixed(2)).join(" ");
  console.log(
    `${name.padEnd(12)} median ${seconds.toFixed(2)} s (${all}), peak ${peakMib.toFixed(0)} MiB`,
  );
}
const ratio = medianOf(
  runs.sweep.map((run, n) => run.seconds / (runs["rclone copy"][n]?.seconds ?? 1)),
);
console.log(`sweep takes ${ratio.toFixed(2)} times what rclone copy takes (median of the rounds)`);
process.exit();

/** A copy, as delivery removes the files; a link would make it look for a second name of each. */
async function sweep(round: number): Promise<Run> {
  const coreDir = join(folder, `sweep-${round}`);
  cpSync(source, coreDir, { recursive: true });
  const bucket = await makeBucket();
  const { S3_PART_SIZE: _, ...variables } = bucketVariables(bucket);
  const run = await measure([executable, "sweep"], {
    CORE_DIR: coreDir,
    HOST_DIR: coreDir,
    LOG_LEVEL: "Warn",
    ...variables,
  });
  await expectAll(bucket);
  return run;
}

async function rcloneCopy(round: number): Promise<Run> {
  const bucket = await makeBucket();
  const { endpoint, accessKey, secret } = bucket.server;
  const remote = `:s3,provider=Ceph,endpoint="${endpoint}",access_key_id=${accessKey},secret_access_key=${secret}:`;
  const from = join(folder, `rclone-${round}`);
  cpSync(source, from, { recursive: true });
  const run = await measure(["rclone", "copy", from, `${remote}${bucket.name}`], {
    HOME: folder,
    PATH: process.env["PATH"] ?? "",
  });
  await expectAll(bucket);
  return run;
}

async function expectAll(bucket: Awaited<ReturnType<typeof makeBucket>>): Promise<void> {
  const { length } = await bucket.keys();
  if (length !== files) throw new Error(`${length} objects of ${files} arrived`);
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
  return { seconds, peakMib: peak() };
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
