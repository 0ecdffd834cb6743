// What a core of the stacks costs: how long the crashed process is held by the composer with CORE_CONTENT=stacks, beside
// a handler that does nothing (/bin/true), in turns in one run, through the real kernel.
// `sudo CDH_TEST_KERNEL=1 bun bench/stacks.ts [ROUNDS [full]]`; `full` adds the whole core's. Figures and machine go to
// docs/performance.md.
import { withCorePattern } from "../test/support/borrowed-kernel.ts";
import { startSleeper } from "../test/support/crash-program.ts";
import { withComposer } from "../test/support/installed-composer.ts";
import { formatTable, median, watchPeak } from "./figures.ts";

const ROUNDS = Number(process.argv[2] ?? 5);
const WITH_FULL = process.argv[3] === "full";

interface Kind {
  title: string;
  program: "mapping" | "sparse";
  args: string[];
}

const KINDS: Kind[] = [
  { title: "C, 10 MB", program: "mapping", args: ["10", "text"] },
  { title: "64 GB of addresses, 64 pages touched", program: "sparse", args: ["64"] },
  { title: "4 GB, all of it touched", program: "mapping", args: ["4096", "text"] },
];

interface Run {
  heldMs: number;
  /** From the composer's start to its release of the process, as composer.log has it. */
  drainedMs: number;
  zipBytes: number;
  peakMiB: number;
}

async function crash({ program, args }: Kind): Promise<number> {
  return (await (await startSleeper(program, args)).crash()).heldMs;
}

const runEmpty = async (kind: Kind): Promise<Run> => ({
  heldMs: await withCorePattern("|/bin/true", () => crash(kind)),
  drainedMs: 0,
  zipBytes: 0,
  peakMiB: 0,
});

const runComposer =
  (content: "stacks" | "full") =>
  (kind: Kind): Promise<Run> =>
    withComposer({ CORE_CONTENT: content }, async (composer) => {
      const watch = watchPeak("cdc");
      const heldMs = await crash(kind);
      await composer.zips(1);
      const peakMiB = await watch.end();
      const published = (await composer.log()).find(({ event }) => event === "dump_published");
      const drainedMs = Number(published?.["drained_ms"]);
      return { heldMs, drainedMs, zipBytes: Number(published?.["zip_bytes"]), peakMiB };
    });

type Contender = [string, (kind: Kind) => Promise<Run>];

const CONTENDERS: Contender[] = [
  ["`/bin/true`", runEmpty],
  ["composer, stacks", runComposer("stacks")],
  ...(WITH_FULL ? [["composer, full", runComposer("full")] satisfies Contender] : []),
];

for (const kind of KINDS) {
  const runs = CONTENDERS.map((): Run[] => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, [name, run]] of CONTENDERS.entries()) {
      const result = await run(kind);
      runs[index]?.push(result);
      process.stderr.write(`${kind.title}, ${name}: ${result.heldMs.toFixed(0)} ms\n`);
    }
  const middle = (of: readonly Run[], value: (run: Run) => number) => median(of.map(value));
  const [base = []] = runs;
  const rows = CONTENDERS.map(([name], index) => {
    const of = runs[index] ?? [];
    const heldMs = middle(of, (run) => run.heldMs);
    return [
      name,
      `${heldMs.toFixed(0)} ms`,
      `${(heldMs - middle(base, (run) => run.heldMs)).toFixed(0)} ms`,
      index === 0 ? "" : `${middle(of, (run) => run.drainedMs).toFixed(0)} ms`,
      index === 0 ? "" : `${(middle(of, (run) => run.zipBytes) / 1e3).toFixed(0)} kB`,
      index === 0 ? "" : `${Math.max(...of.map((run) => run.peakMiB)).toFixed(0)} MiB`,
    ];
  });
  console.log(`\n### ${kind.title}, medians of ${ROUNDS}\n`);
  console.log(
    formatTable(["", "held", "longer by", "by its drain", "zip", "composer's peak"], rows),
  );
}
