// What reading dumps costs: `list` of a store with 1,000 dumps, `fetch` (whole, and cut off and resumed) and
// `extract` of a dump with a 6 GB core, by the compiled executable, on Ceph's radosgw. `bun bench/reading.ts`.
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { executablePath } from "../test/support/executable.ts";
import { makeBucket, type Bucket } from "../test/support/bucket.ts";
import { installComposer } from "../test/support/installed-composer.ts";
import { startRadosgw } from "../test/support/radosgw.ts";
import { bucketVariables } from "../test/support/store-settings.ts";
import { withFolder } from "../test/support/temporary-folder.ts";
import { formatTable } from "./figures.ts";

const SMALL_DUMPS = 1000;
const NOISE_BYTES = 1.5e9;
const CORE_BYTES = 6e9;
const CHUNK_BYTES = 1 << 20;

interface Run {
  seconds: number;
  peakMiB: number;
  exitCode: number;
  output: string;
}

/** Runs the executable; with killAfterMs it is killed on its way. */
async function run(args: string[], env: Record<string, string>, killAfterMs = 0): Promise<Run> {
  const startedMs = performance.now();
  const child = Bun.spawn([await executablePath(), ...args], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const timer =
    killAfterMs === 0 ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  const output = await new Response(child.stdout).text();
  const exitCode = await child.exited;
  clearTimeout(timer);
  return {
    seconds: (performance.now() - startedMs) / 1000,
    peakMiB: (child.resourceUsage()?.maxRSS ?? 0) / 2 ** 20,
    exitCode,
    output,
  };
}

/** A dump made by the composer from noise followed by zeros; its path. */
async function composeDump(folder: string, noiseBytes: number, coreBytes: number): Promise<string> {
  const composer = await installComposer(folder, { FILENAME_TEMPLATE: "{pid}-{uuid}" });
  const child = Bun.spawn([join(composer.hostDir, "cdc"), "-p=1", "-s=11", "-e=bench"], {
    stdio: ["pipe", "inherit", "inherit"],
  });
  const noise = new Uint8Array(CHUNK_BYTES);
  const zeros = new Uint8Array(CHUNK_BYTES);
  for (let sent = 0; sent < coreBytes; sent += CHUNK_BYTES) {
    if (sent < noiseBytes)
      for (let at = 0; at < CHUNK_BYTES; at += 65_536)
        crypto.getRandomValues(noise.subarray(at, at + 65_536));
    await child.stdin.write(sent < noiseBytes ? noise : zeros);
    await child.stdin.flush();
  }
  await child.stdin.end();
  if ((await child.exited) !== 0) throw new Error("the composer failed");
  const [zip] = await composer.zips(1);
  if (zip === undefined) throw new Error("no dump was made");
  return zip;
}

async function fill(bucket: Bucket, small: Uint8Array): Promise<void> {
  for (let n = 0; n < SMALL_DUMPS; n += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, k) => bucket.put(`small/${n + k}.zip`, small)),
    );
}

function need(ok: boolean, what: string): void {
  if (!ok) throw new Error(`${what} went wrong`);
}

await withFolder(async (folder) => {
  await startRadosgw(6 * 2 ** 30);
  const bucket = await makeBucket();
  const env = bucketVariables(bucket);
  await fill(bucket, await Bun.file(await composeDump(join(folder, "s"), 0, CHUNK_BYTES)).bytes());
  const large = await composeDump(join(folder, "l"), NOISE_BYTES, CORE_BYTES);
  const storeDir = join(folder, "h");
  const sweep = await run(["sweep", large], {
    ...env,
    HOST_DIR: storeDir,
    CORE_DIR: join(large, ".."),
  });
  need(sweep.exitCode === 0, "the upload");
  const key = large.split("/").at(-1) ?? "";
  const rows: string[][] = [];
  const note = (what: string, { seconds, peakMiB }: Run) =>
    rows.push([what, `${seconds.toFixed(1)} s`, `${peakMiB.toFixed(0)} MiB`]);

  const list = await run(["list", "--store", "--json"], env);
  need((JSON.parse(list.output) as unknown[]).length === SMALL_DUMPS + 1, "list");
  note(`\`list --store\`, ${SMALL_DUMPS + 1} dumps`, list);

  const got = join(folder, "got.zip");
  const whole = await run(["fetch", key, "--output", got], env);
  need(whole.exitCode === 0, "fetch");
  const { size } = await stat(got);
  note(`\`fetch\` of ${(size / 1e9).toFixed(1)} GB, verified`, whole);
  await rm(got);
  const cut = await run(["fetch", key, "--output", got], env, whole.seconds * 250);
  need(cut.exitCode !== 0, "the interruption");
  const resumed = await run(["fetch", key, "--output", got], env);
  need(resumed.exitCode === 0 && resumed.output.includes("resumed at"), "the resumed fetch");
  note(
    `the same, resumed after SIGKILL (${resumed.output.trim().split(", ").at(-1) ?? ""})`,
    resumed,
  );

  const core = join(folder, "core");
  const extract = await run(["extract", got, "--output", core], {});
  const { size: coreBytes, blocks } = await stat(core);
  need(extract.exitCode === 0 && coreBytes >= CORE_BYTES, "extract");
  const disk = ((blocks * 512) / 1e9).toFixed(1);
  note(`\`extract\` of a ${(coreBytes / 1e9).toFixed(1)} GB core, ${disk} GB on the disk`, extract);
  console.log(formatTable(["command", "time", "peak RSS"], rows));
});
