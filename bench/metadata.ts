// What asking the container runtime costs: how long a crashed container is held, and the composer's peak
// memory, with a real containerd, without one, and with one that hangs or talks rubbish; and how soon the
// first byte is read. `sudo CDH_TEST_KERNEL=1 bun bench/metadata.ts [ROUNDS [MB]]`, in turns in one run.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planCorePattern } from "../src/model/core-pattern.ts";
import { withCorePattern } from "../test/support/borrowed-kernel.ts";
import { APP_IMAGE, startContainerd, type Containerd } from "../test/support/containerd.ts";
import { installComposer } from "../test/support/installed-composer.ts";
import { startPod } from "../test/support/pods.ts";
import { STRANGE, withStrangeSocket, type StrangeSocket } from "../test/support/strange-sockets.ts";
import { withFolder } from "../test/support/temporary-folder.ts";
import { formatTable, median, watchPeak } from "./figures.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
const MEGABYTES = Number(process.argv[3] ?? 1000);
const FIRST_BYTE_SCRIPT = join(import.meta.dir, "first-byte.py");

type Settings = Record<string, string | number | boolean>;
interface Contender {
  name: string;
  settings: (containerd: Containerd, strange: string) => Settings;
  strange?: StrangeSocket;
}

const WITHOUT: Contender = { name: "IGNORE_CRIO", settings: () => ({ IGNORE_CRIO: true }) };
const containerdAnd = (name: string, more: Settings): Contender => ({
  name,
  settings: ({ socket }) => ({ IGNORE_CRIO: false, CRIO_ENDPOINT: `unix://${socket}`, ...more }),
});
const CONTENDERS: Contender[] = [
  WITHOUT,
  containerdAnd("containerd", {}),
  containerdAnd("containerd, /proc files and events", {
    INCLUDE_PROC_INFO: true,
    CORE_EVENTS: true,
  }),
  ...STRANGE.map((strange): Contender => ({
    name: `${strange} socket`,
    strange,
    settings: (_, path) => ({
      IGNORE_CRIO: false,
      CRI_CLIENT: "native",
      CRIO_ENDPOINT: `unix://${path}`,
    }),
  })),
];

const folder = await mkdtemp(join(tmpdir(), "bench-metadata-"));
const containerd = await startContainerd(folder);
try {
  await compareCrashes();
  await compareFirstBytes();
} finally {
  await containerd.stop();
  await rm(folder, { recursive: true, force: true });
}

async function compareCrashes(): Promise<void> {
  const figures = CONTENDERS.map(() => ({ heldMs: [] as number[], peakMiB: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, contender] of CONTENDERS.entries()) {
      const { heldMs, peakMiB } = await crashOnce(contender);
      figures[index]?.heldMs.push(heldMs);
      figures[index]?.peakMiB.push(peakMiB);
      process.stderr.write(`${contender.name}: ${(heldMs / 1000).toFixed(2)} s\n`);
    }
  const first = median(figures[0]?.heldMs ?? []);
  const rows = CONTENDERS.map(({ name }, index) => {
    const { heldMs = [], peakMiB = [] } = figures[index] ?? {};
    const held = median(heldMs);
    return [
      name,
      `${(held / 1000).toFixed(2)} s`,
      (held / first).toFixed(2),
      `${(Math.min(...heldMs) / 1000).toFixed(2)} s`,
      `${Math.max(...peakMiB).toFixed(0)} MiB`,
    ];
  });
  console.log(`\n### A container of ${MEGABYTES} MB crashes\n`);
  console.log(formatTable(["", "held (median)", "ratio", "least", "peak RSS"], rows));
}

function crashOnce({ settings, strange }: Contender): Promise<{ heldMs: number; peakMiB: number }> {
  return withFolder(async (work) => {
    const socket = join(work, "strange.sock");
    const { hostDir, coreDir } = await installComposer(work, settings(containerd, socket));
    const pod = await startPod(containerd, {
      name: "bench",
      containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "1000", String(MEGABYTES)] }],
    });
    const pid = pod.containers[0]?.pid ?? 0;
    return withStrangeSocket(strange ?? "missing", socket, () =>
      withCorePattern(planCorePattern(hostDir, coreDir), async () => {
        const peak = watchPeak("cdc");
        const startedMs = performance.now();
        process.kill(pid, "SIGUSR1");
        while (isAlive(pid)) await Bun.sleep(2);
        const heldMs = performance.now() - startedMs;
        return { heldMs, peakMiB: await peak.end() };
      }),
    );
  });
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}

/** From exec to the first read, by hand: the pipe's level is watched by a small Python program. */
async function compareFirstBytes(): Promise<void> {
  const pod = await startPod(containerd, {
    name: "first-byte",
    containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "10"] }],
  });
  const rows: string[][] = [];
  for (const contender of CONTENDERS.filter(({ strange }) => strange === undefined))
    await withFolder(async (work) => {
      const { hostDir } = await installComposer(work, contender.settings(containerd, ""));
      const arguments_ = [
        `-P=${pod.containers[0]?.pid}`,
        "-p=1",
        "-s=11",
        "-t=1",
        "-k=1",
        "-e=app",
      ];
      const child = Bun.spawn(["python3", FIRST_BYTE_SCRIPT, join(hostDir, "cdc"), ...arguments_], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const times = (await child.stdout.text()).trim().split(/\s+/).map(Number);
      const [middle, worst] = [median(times), Math.max(...times)];
      rows.push([contender.name, `${middle.toFixed(1)} ms`, `${worst.toFixed(1)} ms`]);
    });
  console.log(`\n### From exec to the first byte read, 20 runs\n`);
  console.log(formatTable(["", "median", "worst"], rows));
}
