// What keeping modules costs: the composer with COMP_MODULES=all beside itself without, in turns in one run, through the
// real kernel: how long the crashed process is held, when its dump is published; what is copied and stored for a C, a Node
// and a Java program. Then a fleet: three nodes, each with its HOST_DIR, on which one program crashes 100 times, and every
// request that the store gets for modules.
// `sudo CDH_TEST_KERNEL=1 bun bench/modules.ts [ROUNDS [CRASHES [C,Node,Java]]]`. Figures and machine go to
// docs/performance.md.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openModuleDelivery } from "../src/agent/modules/module-delivery.ts";
import { readAgentSettings } from "../src/config/agent-settings.ts";
import { listKeptModules } from "../src/host/kept-modules.ts";
import { eventually } from "../test/support/eventually.ts";
import { withComposer, type InstalledComposer } from "../test/support/installed-composer.ts";
import { startMemoryStore, type MemoryStore } from "../test/support/memory-store.ts";
import { buildOwnProgram } from "../test/support/own-program.ts";
import { recordedLog } from "../test/support/recorded-log.ts";
import { formatTable, median } from "./figures.ts";

const ROUNDS = Number(process.argv[2] ?? 10);
const CRASHES = Number(process.argv[3] ?? 100);
const NAMES = (process.argv[4] ?? "C,Node,Java").split(",");
const NODES = 3;
const MIB = 2 ** 20;

interface Program {
  name: string;
  command: string[];
}

const folder = mkdtempSync(join(tmpdir(), "bench-modules-"));
const own = await buildOwnProgram(folder);
await Bun.write(
  join(folder, "Waits.java"),
  'class Waits { public static void main(String[] a) throws Exception { System.out.println("ready"); Thread.sleep(60000); } }',
);
const ALL: Program[] = [
  { name: "C", command: [own.program] },
  {
    name: "Node",
    command: ["node", "-e", 'console.log("ready"); setInterval(() => 0, 1000)'],
  },
  { name: "Java", command: ["java", join(folder, "Waits.java")] },
];
const PROGRAMS = ALL.filter(
  ({ name, command: [program = ""] }) => NAMES.includes(name) && Bun.which(program) !== null,
);

/** Lets one instance crash, and returns how long it was held, in ms. */
async function crash({ command }: Program): Promise<number> {
  const child = Bun.spawn(command, {
    stdio: ["pipe", "pipe", "ignore"],
    cwd: folder,
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  await child.stdout.getReader().read();
  const startedMs = performance.now();
  child.kill("SIGSEGV");
  await child.exited;
  return performance.now() - startedMs;
}

interface Figures {
  heldMs: number[];
  totalMs: number[];
}

async function measure(program: Program, modules: string, figures: Figures): Promise<void> {
  await withComposer({ MODULES: modules }, async (composer) => {
    figures.heldMs.push(await crash(program));
    await composer.zips(1);
    const published = (await composer.log()).find(({ event }) => event === "dump_published");
    figures.totalMs.push(Number(published?.["total_ms"]));
  });
}

/** Waits until what was listed is kept. */
async function untilKept(composer: InstalledComposer): Promise<void> {
  await eventually(async () =>
    (await composer.log()).some(({ event }) => event === "modules_kept"),
  );
}

const rows: string[][] = [];
for (const program of PROGRAMS) {
  const figures = { off: { heldMs: [], totalMs: [] }, all: { heldMs: [], totalMs: [] } };
  for (let round = 0; round < ROUNDS; round++)
    for (const modules of round % 2 === 0 ? (["off", "all"] as const) : (["all", "off"] as const))
      await measure(program, modules, figures[modules]);
  const [off, all] = [figures.off, figures.all];
  const held = (from: Figures) => `${median(from.heldMs).toFixed(0)} ms`;
  rows.push([
    program.name,
    held(off),
    held(all),
    (median(all.heldMs) / median(off.heldMs)).toFixed(3),
    (Math.min(...all.heldMs) / Math.min(...off.heldMs)).toFixed(3),
    `${median(off.totalMs).toFixed(0)} ms`,
    `${median(all.totalMs).toFixed(0)} ms`,
  ]);
}
console.log(
  formatTable(
    ["program", "held, off", "held, all", "ratio", "ratio of minima", "published, off", "all"],
    rows,
  ),
);

function openNode(store: MemoryStore, coreDir: string) {
  const settings = readAgentSettings({
    CORE_DIR: coreDir,
    S3_ENDPOINT: store.endpoint,
    S3_BUCKET_NAME: "cores",
    S3_ACCESS_KEY: "AK",
    S3_SECRET: "SK",
  });
  const { signal } = new AbortController();
  return openModuleDelivery({ settings, log: recordedLog(), signal });
}

/** What one crash of each program brings to an empty node and an empty store. */
const costs: string[][] = [];
for (const program of PROGRAMS)
  await withComposer({ MODULES: "all" }, async (composer) => {
    await crash(program);
    await composer.zips(1);
    await untilKept(composer);
    const kept = listKeptModules(composer.coreDir);
    const bytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const store = startMemoryStore();
    const node = openNode(store, composer.coreDir);
    await node.sweep(() => Promise.resolve());
    const sent = store.asked.reduce((sum, asked) => sum + asked.bytes.length, 0);
    const after = listKeptModules(composer.coreDir);
    const disk = after.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
    costs.push([
      program.name,
      String(kept.length),
      `${(bytes / MIB).toFixed(1)} MiB`,
      `${(sent / MIB).toFixed(1)} MiB`,
      String(store.asked.length),
      `${disk} bytes`,
    ]);
    node.close();
    store.stop();
  });
console.log(
  formatTable(["program", "modules", "on the node", "sent", "requests", "kept after"], costs),
);

const store = startMemoryStore();
const [first] = PROGRAMS;
const fleet: string[][] = [];
if (first !== undefined && CRASHES > 0)
  for (let node = 1; node <= NODES; node++)
    await withComposer({ MODULES: "all" }, async (composer) => {
      const delivery = openNode(store, composer.coreDir);
      const before = store.asked.length;
      for (let count = 1; count <= CRASHES; count++) {
        await crash(first);
        if (count === 1) {
          await composer.zips(1);
          await untilKept(composer);
        }
        await delivery.sweep(() => Promise.resolve());
      }
      await composer.zips(CRASHES);
      await delivery.sweep(() => Promise.resolve());
      const asked = store.asked.slice(before);
      const of = (method: string) => String(asked.filter((one) => one.method === method).length);
      fleet.push([`node ${node}`, String(CRASHES), of("HEAD"), of("PUT"), of("GET")]);
      delivery.close();
    });
console.log(formatTable(["", "crashes", "HEAD", "PUT", "GET"], fleet));
console.log(`${store.objects.size} objects: ${[...store.objects.keys()].join(" ")}`);
store.stop();
rmSync(folder, { recursive: true, force: true });
