// What the owner's rules leave out is refused before its first byte where the kernel asks (`@@`): the kernel itself
// then says that it wrote no core.
import { expect } from "bun:test";
import { buildCrashProgram, compilerObstacle } from "../../support/crash-program.ts";
import { gatedTest, socketObstacle } from "../../support/gate.ts";
import {
  withComposer,
  type InstalledComposer,
  type Way,
} from "../../support/installed-composer.ts";

const obstacles = [socketObstacle(), compilerObstacle()];

/** What the shell says of its child's end: it knows of a core by the kernel's WCOREDUMP bit. */
async function crashUnderShell(): Promise<string> {
  const program = await buildCrashProgram("abort");
  const shell = Bun.spawn(["bash", "-c", `timeout -s KILL 60 true; "${program}"; exit 0`], {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  return shell.stderr.text();
}

async function endsOf(composer: InstalledComposer) {
  await composer.settledFiles();
  const lines = await composer.log();
  const starts = lines.filter(({ event, exe }) => event === "dump_started" && exe === "abort");
  return starts.map(({ uuid }) =>
    lines.find(
      (line) =>
        line["uuid"] === uuid &&
        ["dump_published", "dump_skipped", "dump_failed"].includes(String(line["event"])),
    ),
  );
}

const RULE = { NAMESPACE_INCLUDE: "team-*" };

for (const [way, dumped] of [
  ["@", true],
  ["@@", false],
] as const satisfies readonly (readonly [Way, boolean])[])
  gatedTest(
    `by ${way} a rule's refusal comes ${dumped ? "beside" : "before"} the core`,
    obstacles,
    () =>
      withComposer(
        RULE,
        async (composer) => {
          const said = await crashUnderShell();
          expect(said).toContain("Aborted");
          expect(said.includes("(core dumped)")).toBe(dumped);
          const [end] = await endsOf(composer);
          expect(end).toMatchObject({ event: "dump_skipped" });
          expect(end?.["refused"]).toBe(dumped ? undefined : true);
          if (!dumped) expect(end?.["core_bytes"]).toBe(0);
          expect(await composer.settledFiles()).toEqual([]);
        },
        way,
      ),
  );

gatedTest("a crash loop is refused once it is one", obstacles, () =>
  withComposer(
    { CRASH_LOOP_LIMIT: 2, CRASH_LOOP_WINDOW: 600 },
    async (composer) => {
      const said = [];
      for (let crash = 0; crash < 4; crash++) said.push(await crashUnderShell());
      expect(said.map((text) => text.includes("(core dumped)"))).toEqual([
        true,
        true,
        false,
        false,
      ]);
      const ends = await endsOf(composer);
      expect(ends.map((end) => end?.["event"])).toEqual([
        "dump_published",
        "dump_published",
        "dump_skipped",
        "dump_skipped",
      ]);
      expect(ends.slice(2).map((end) => end?.["core_bytes"])).toEqual([0, 0]);
    },
    "@@",
  ),
);
