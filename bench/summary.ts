// What explaining a crash costs: the composer with EXPLAIN beside itself without, in turns in one run, through the
// real kernel: how long the crashed process is held, when its dump is published, each process's peak memory.
// `sudo CDH_TEST_KERNEL=1 bun bench/summary.ts [ROUNDS [small|large [EXECUTABLE]]]`: EXECUTABLE, an older one, takes its
// turns beside this one. Figures and machine go to docs/performance.md.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { startSleeper } from "../test/support/crash-program.ts";
import { withComposer } from "../test/support/installed-composer.ts";
import { formatTable, median } from "./figures.ts";

const ROUNDS = Number(process.argv[2] ?? 10);
const [, , , ONLY = "all", OLDER] = process.argv;
const HEAP_MB = 1000;
const SAMPLE_MS = 3;

interface Figures {
  heldMs: number[];
  totalMs: number[];
  composerMiB: number[];
  explainerMiB: number[];
}

type Crash = () => Promise<number>;

/** A C program of so many megabytes of text: how long it was held. */
const smallC = async () => (await (await startSleeper("mapping", ["10", "text"])).crash()).heldMs;

function node(megabytes: number): Crash {
  return async () => {
    const script = join(import.meta.dir, "heap.mjs");
    const child = Bun.spawn(["node", "--max-old-space-size=8000", script, String(megabytes)], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 120_000,
      killSignal: "SIGKILL",
    });
    await child.stdout.getReader().read();
    const startedMs = performance.now();
    child.kill("SIGSEGV");
    await child.exited;
    return performance.now() - startedMs;
  };
}

/** The peaks of a composer and of its explainer, which are one executable. */
function watchBoth(executable: string): { end(): { composer: number; explainer: number } } {
  const peaks = { composer: 0, explainer: 0 };
  const look = () => {
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        if (readlinkSync(`/proc/${pid}/exe`) !== executable) continue;
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        const kilobytes = Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0);
        const role = words.includes("explain-crash") ? "explainer" : "composer";
        peaks[role] = Math.max(peaks[role], kilobytes / 1024);
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    end() {
      clearInterval(timer);
      return peaks;
    },
  };
}

interface Contender {
  explain: boolean;
  /** undefined for the one that is built from these sources. */
  executable: string | undefined;
}

const nameOf = ({ explain, executable }: Contender) =>
  `${executable === undefined ? "" : "older, "}EXPLAIN=${explain}`;

const EXECUTABLES = OLDER === undefined ? [undefined] : [undefined, OLDER];
const CONTENDERS = EXECUTABLES.flatMap((executable) =>
  [false, true].map((explain): Contender => ({ explain, executable })),
);

async function measure(contender: Contender, crash: Crash, figures: Figures): Promise<void> {
  const { explain, executable } = contender;
  // What support/executable.ts installs.
  process.env["CDH_EXECUTABLE"] = executable ?? "";
  await withComposer({ EXPLAIN: explain }, async (composer) => {
    const watch = watchBoth(join(composer.hostDir, "cdc"));
    figures.heldMs.push(await crash());
    await composer.zips(1);
    const { composer: composerMiB, explainer } = watch.end();
    figures.composerMiB.push(composerMiB);
    figures.explainerMiB.push(explainer);
    // Whoever else crashes meanwhile on this machine is not measured.
    const published = (await composer.log()).findLast(
      ({ event, core_bytes }) => event === "dump_published" && Number(core_bytes) > 5e6,
    );
    if (explain && typeof published?.["title"] !== "string") throw new Error("it has no summary");
    figures.totalMs.push(Number(published?.["total_ms"]));
    process.stderr.write(`${nameOf(contender)}: ${figures.heldMs.at(-1)?.toFixed(0)} ms\n`);
  });
}

const empty = (): Figures => ({ heldMs: [], totalMs: [], composerMiB: [], explainerMiB: [] });

async function compare(title: string, crash: Crash, rounds: number): Promise<void> {
  const all = CONTENDERS.map((contender) => ({ contender, figures: empty() }));
  for (let round = 0; round < rounds; round++)
    for (const { contender, figures } of round % 2 === 0 ? all : all.toReversed())
      await measure(contender, crash, figures);
  const base = median(all[0]?.figures.heldMs ?? []);
  const rows = all.map(({ contender, figures }) => [
    nameOf(contender),
    `${median(figures.heldMs).toFixed(0)} ms`,
    (median(figures.heldMs) / base).toFixed(3),
    (Math.min(...figures.heldMs) / Math.min(...(all[0]?.figures.heldMs ?? []))).toFixed(3),
    `${median(figures.totalMs).toFixed(0)} ms`,
    `${Math.max(...figures.composerMiB).toFixed(1)} MiB`,
    contender.explain ? `${Math.max(...figures.explainerMiB).toFixed(1)} MiB` : "",
  ]);
  console.log(`\n### ${title}, medians of ${rounds}\n`);
  const peaks = ["composer's peak", "explainer's peak"];
  const head = ["", "held", "ratio", "ratio of the least", "published after", ...peaks];
  console.log(formatTable(head, rows));
}

if (ONLY !== "large") {
  await compare("C, 10 MB", smallC, ROUNDS);
  await compare("Node, small", node(1), ROUNDS);
}
if (ONLY !== "small") await compare(`Node, a heap of ${HEAP_MB} MB`, node(HEAP_MB), ROUNDS);
