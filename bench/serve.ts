// What `serve` and `list --store` cost over many crashes with an index: the first page, cold and warm, the memory of the
// process, and the requests to the store. `bun bench/serve.ts folder|s3 [CRASHES [BUGS]]`. The executable is the built
// one. Figures and machine go to docs/performance.md.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatIndexKey } from "../src/model/crash-index.ts";
import { executablePath } from "../test/support/executable.ts";
import { makeBucket } from "../test/support/bucket.ts";
import { startFaultProxy } from "../test/support/fault-proxy.ts";
import { manyCrashes } from "../test/support/many-crashes.ts";
import { startRadosgw } from "../test/support/radosgw.ts";
import { bucketVariables } from "../test/support/store-settings.ts";
import { formatTable, median } from "./figures.ts";

const [, , WHERE = "folder", CRASHES = "100000", BUGS = "500"] = process.argv;
const WRITERS = 48;
const fleet = {
  crashes: Number(CRASHES),
  bugs: Number(BUGS),
  days: 30,
  nodes: 200,
  endSeconds: Math.floor(Date.now() / 1000),
  hasShortNames: WHERE === "s3",
};

/** Every key of dumps and index. Dumps are empty here: nobody opens them. */
function* keys(): Generator<string> {
  for (const crash of manyCrashes(fleet)) {
    yield crash.key;
    yield formatIndexKey("index/", crash);
  }
}

interface Stage {
  env: Record<string, string>;
  args: string[];
  requests: () => number;
  clean: () => void;
}

function makeFolder(): Stage {
  const folder = mkdtempSync(join(tmpdir(), "cdh-serve-"));
  for (const key of keys()) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), "");
  }
  return {
    env: { STORE_URL: `file://${folder}` },
    args: [],
    requests: () => 0,
    clean: () => rmSync(folder, { recursive: true }),
  };
}

async function makeStore(): Promise<Stage> {
  const server = await startRadosgw();
  const bucket = await makeBucket();
  const client = new Bun.S3Client({
    endpoint: server.endpoint,
    bucket: bucket.name,
    accessKeyId: server.accessKey,
    secretAccessKey: server.secret,
  });
  const left = keys();
  let written = 0;
  const writer = async () => {
    for (const key of left) {
      await client.write(key, "");
      if (++written % 20_000 === 0) process.stderr.write(`${written} objects\n`);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  const proxy = await startFaultProxy(server.endpoint);
  return {
    env: bucketVariables(bucket, { S3_ENDPOINT: proxy.endpoint }),
    args: [],
    requests: () => proxy.requests(),
    clean: () => proxy.stop(),
  };
}

const startedMs = performance.now();
const stage = WHERE === "s3" ? await makeStore() : makeFolder();
process.stderr.write(`made in ${((performance.now() - startedMs) / 1000).toFixed(0)} s\n`);
const executable = await executablePath();
const rows: string[][] = [];

const before = stage.requests();
const beginMs = performance.now();
const child = Bun.spawn([executable, "serve", "--port", "0", ...stage.args], {
  env: stage.env,
  stdio: ["ignore", "pipe", "inherit"],
});
const said = new TextDecoder().decode((await child.stdout.getReader().read()).value);
const url = /shown at (\S+)/.exec(said)?.[1] ?? "";
const load = async (path: string) => {
  const fromMs = performance.now();
  const answer = await fetch(new URL(path, url));
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return { ms: performance.now() - fromMs, text };
};
const megabytes = () =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024;

const first = await load("/");
rows.push(["first answer (what is known by then)", `${(first.ms / 1000).toFixed(1)} s`]);
for (let page = first.text; page.includes("Reading the store"); page = (await load("/")).text)
  await Bun.sleep(100);
rows.push(["all of it, cold", `${((performance.now() - beginMs) / 1000).toFixed(1)} s`]);
rows.push(["requests to the store until then", String(stage.requests() - before)]);
const warm = async (path: string) => {
  const times = [];
  for (let round = 0; round < 7; round++) times.push((await load(path)).ms);
  return `${median(times).toFixed(0)} ms`;
};
rows.push(["first page, warm", await warm("/")]);
rows.push(["by count", await warm("/?order=count")]);
rows.push(["a search", await warm("/?q=handle_49")]);
rows.push(["a namespace, 7 days", await warm("/?namespace=team-7&days=7")]);
const [bug = ""] = /\/bug\/[0-9a-f]{16}/.exec((await load("/?order=count")).text) ?? [];
rows.push(["the most frequent bug", await warm(bug)]);
rows.push(["serve's peak memory", `${megabytes().toFixed(0)} MiB`]);
child.kill("SIGTERM");
await child.exited;

for (const [title, args] of [
  ["list --store", ["list", "--store", "--json"]],
  ["list --store --by bug", ["list", "--store", "--by", "bug", "--json"]],
] as const) {
  const asked = stage.requests();
  const fromMs = performance.now();
  const list = Bun.spawn([executable, ...args], {
    env: stage.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Response(list.stdout).bytes();
  const seconds = ((performance.now() - fromMs) / 1000).toFixed(1);
  rows.push([title, `${seconds} s, ${stage.requests() - asked} requests`]);
}
console.log(`\n### ${CRASHES} crashes of ${BUGS} bugs, ${WHERE}\n`);
console.log(formatTable(["", ""], rows));
stage.clean();
process.exit(0);
