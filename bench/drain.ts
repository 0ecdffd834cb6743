// How long a crashed process is held, through the real kernel: the composer beside gzip, zstd and cat, in
// turns in one run, and each one's peak memory; the composer with and without a spool and with zstd beside
// `cat > file`; and the composer by pipe beside itself by socket.
// `sudo CDH_TEST_KERNEL=1 bun bench/drain.ts [ROUNDS [peers|spool|socket]]`.
// CDH_EXECUTABLE_BEFORE names an older executable, which "spool" then shows too; CDH_BUSY=N has N processes spin
// meanwhile; CDH_HEAP_MB is the heap's size.
// Figures and machine go to docs/performance.md; only the ratios mean something elsewhere.
import { copyFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { planCorePattern, planSocketPattern } from "../src/model/core-pattern.ts";
import { withCorePattern } from "../test/support/borrowed-kernel.ts";
import { startSleeper } from "../test/support/crash-program.ts";
import { installComposer } from "../test/support/installed-composer.ts";
import { startListener, type TestListener } from "../test/support/listener.ts";
import { withFolder } from "../test/support/temporary-folder.ts";
import { formatTable, median, watchPeak } from "./figures.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
const [, , , ONLY] = process.argv;
const HEAP_MB = Number(process.env["CDH_HEAP_MB"] ?? 1500);
const BUSY = Number(process.env["CDH_BUSY"] ?? 0);
const BEFORE = process.env["CDH_EXECUTABLE_BEFORE"] ?? "";
const SPARSE_GB = 8;

interface Contender {
  name: string;
  pattern: (folder: string) => Promise<string>;
  /** Whom the pattern needs; called after it. */
  listen?: (folder: string) => Promise<TestListener>;
  /** net.core.wmem_default meanwhile, as SOCKET_SEND_BUFFER would set it. */
  socketBuffer?: string;
  /** The program whose memory is watched, as /proc/PID/comm has it. */
  comm: string;
}

interface Crasher {
  pid: number;
  crash: () => Promise<number>;
}

interface Measured {
  heldMs: number;
  /** From the crash to the finished file. */
  doneMs: number;
  peakMiB: number;
  megabytes: number;
}

const composer = (
  name: string,
  settings: Record<string, string | boolean>,
  executable = "",
): Contender => ({
  name,
  comm: "cdc",
  async pattern(folder) {
    const { hostDir, coreDir } = await installComposer(folder, settings);
    if (executable !== "") {
      // It is a link to the executable in dist/.
      await rm(join(hostDir, "cdc"));
      await copyFile(executable, join(hostDir, "cdc"));
    }
    return planCorePattern(hostDir, coreDir);
  },
});

type Settings = Record<string, string | boolean>;

const SEND_BUFFER = 2 ** 21;

const bySocket = (form: "@" | "@@", settings: Settings): Contender => ({
  name: `composer, ${form}`,
  socketBuffer: "212992",
  // The executable's own name, which the listener has too: its memory counts as well.
  comm: "core-dump-handl",
  async pattern(folder) {
    const { hostDir } = await installComposer(folder, settings);
    return planSocketPattern(hostDir, form === "@@");
  },
  listen: (folder) => startListener(join(folder, "h")),
});

const bySocketBuffered = (form: "@" | "@@", settings: Settings): Contender => ({
  ...bySocket(form, settings),
  name: `composer, ${form}, send buffer of 2 MiB`,
  socketBuffer: String(SEND_BUFFER),
});

const peer = (...command: string[]): Contender => ({
  name: command.join(" "),
  comm: command[0] ?? "",
  pattern: (folder) =>
    Promise.resolve(`|${join(import.meta.dir, "peer.sh")} ${folder}/out ${command.join(" ")}`),
});

const toNowhere: Contender = {
  name: "cat > /dev/null",
  comm: "cat",
  pattern: () => Promise.resolve(`|${join(import.meta.dir, "peer.sh")} /dev/null cat`),
};

async function startHeap(): Promise<Crasher> {
  const script = join(import.meta.dir, "heap.mjs");
  const child = Bun.spawn(["node", "--max-old-space-size=8000", script, String(HEAP_MB)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  await child.stdout.getReader().read();
  return {
    pid: child.pid,
    async crash() {
      const startedMs = performance.now();
      child.kill("SIGSEGV");
      await child.exited;
      return performance.now() - startedMs;
    },
  };
}

async function startSparse(): Promise<Crasher> {
  const sleeper = await startSleeper("sparse", [String(SPARSE_GB)]);
  return { pid: sleeper.pid, crash: async () => (await sleeper.crash()).heldMs };
}

async function measure(contender: Contender, start: () => Promise<Crasher>): Promise<Measured> {
  return withFolder(async (folder) => {
    const pattern = await contender.pattern(folder);
    const listener = await contender.listen?.(folder);
    try {
      const { socketBuffer } = contender;
      const others = socketBuffer === undefined ? {} : { socketBuffer };
      const crashOnce = async () => {
        const crasher = await start();
        const peak = watchPeak(contender.comm);
        const startedMs = performance.now();
        const heldMs = await crasher.crash();
        while (!(await isDone(folder))) await Bun.sleep(2);
        const doneMs = performance.now() - startedMs;
        const peakMiB = await peak.end();
        return { heldMs, doneMs, peakMiB, megabytes: (await folderBytes(folder)) / 1e6 };
      };
      return await withCorePattern(pattern, crashOnce, others);
    } finally {
      await listener?.stop();
    }
  });
}

/** Whether there is a published zip, where the contender is a composer. */
async function isDone(folder: string): Promise<boolean> {
  const names = await readdir(folder, { recursive: true });
  return !names.includes("h") || names.some((name) => name.endsWith(".zip"));
}

/** What the contender wrote: a zip or `out`. */
async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith(".zip") && name !== "out") continue;
    bytes += (await stat(join(folder, name))).size;
    await rm(join(folder, name));
  }
  return bytes;
}

async function compare(title: string, start: () => Promise<Crasher>, contenders: Contender[]) {
  const all = contenders.map((): Measured[] => []);
  const spinning = Array.from({ length: BUSY }, () =>
    Bun.spawn(["sh", "-c", "while :; do :; done"]),
  );
  try {
    for (let round = 0; round < ROUNDS; round++)
      for (const [index, contender] of contenders.entries()) {
        const measured = await measure(contender, start);
        all[index]?.push(measured);
        const { heldMs, doneMs } = measured;
        process.stderr.write(`${contender.name}: ${seconds(heldMs)}, done ${seconds(doneMs)}\n`);
      }
  } finally {
    for (const child of spinning) child.kill("SIGKILL");
  }
  const medianOf = (index: number, key: keyof Measured) =>
    median((all[index] ?? []).map((measured) => measured[key]));
  const rows = contenders.map(({ name }, index) => [
    name,
    seconds(medianOf(index, "heldMs")),
    (medianOf(index, "heldMs") / medianOf(0, "heldMs")).toFixed(2),
    seconds(medianOf(index, "doneMs")),
    (medianOf(index, "doneMs") / medianOf(0, "doneMs")).toFixed(2),
    `${medianOf(index, "megabytes").toFixed(1)} MB`,
    `${Math.max(...(all[index] ?? []).map(({ peakMiB }) => peakMiB)).toFixed(0)} MiB`,
  ]);
  console.log(`\n### ${title}${BUSY === 0 ? "" : `, beside ${BUSY} busy processes`}\n`);
  const head = [
    "",
    "held",
    "ratio to the first",
    "done",
    "ratio to the first",
    "output",
    "peak RSS",
  ];
  console.log(formatTable(head, rows));
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

const compressed = composer("composer", {});
const stored = composer("composer, COMPRESSION=false", { COMPRESSION: false });
if (ONLY !== "peers" && ONLY !== "socket") {
  const before = BEFORE === "" ? [] : [composer("composer before", {}, BEFORE)];
  await compare(`A Node heap of ${HEAP_MB} MB, spooled`, startHeap, [
    peer("cat"),
    compressed,
    composer("composer, SPOOL_MAX=0", { SPOOL_MAX: "0" }),
    composer("composer, zstd", { COMPRESSION: "zstd" }),
    composer("composer, zstd, SPOOL_MAX=0", { COMPRESSION: "zstd", SPOOL_MAX: "0" }),
    ...before,
  ]);
}
if (ONLY !== "socket" && ONLY !== "spool") {
  await compare(`A Node heap of ${HEAP_MB} MB, compressed`, startHeap, [
    compressed,
    peer("gzip", "-1"),
    peer("zstd", "-1", "-T1"),
  ]);
  await compare(`A Node heap of ${HEAP_MB} MB, stored`, startHeap, [stored, peer("cat")]);
  await compare(`${SPARSE_GB} GB of zeros`, startSparse, [compressed, toNowhere]);
}
if (ONLY !== "peers" && ONLY !== "spool") {
  for (const [title, pipe, settings] of [
    ["compressed", compressed, {}],
    ["stored", stored, { COMPRESSION: false }],
  ] as const)
    await compare(`A Node heap of ${HEAP_MB} MB, ${title}, by pipe and by socket`, startHeap, [
      pipe,
      bySocket("@", settings),
      bySocket("@@", settings),
      bySocketBuffered("@", settings),
      bySocketBuffered("@@", settings),
    ]);
  await compare(`${SPARSE_GB} GB of zeros, by pipe and by socket`, startSparse, [
    compressed,
    bySocket("@", {}),
    bySocket("@@", {}),
    bySocketBuffered("@@", {}),
  ]);
}
