// Damaged cores and programs end in a summary or a clear refusal: no other error, no endless loop. CDH_TEST_ROUNDS
// raises the number of rounds (1,000,000: some twenty minutes); test/support/mutation-run.ts tells how long they took.
import { expect } from "bun:test";
import { buildObstacle } from "../../support/crash-builds.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { makeMutationSeeds, runMutations } from "../../support/mutation-run.ts";

const ROUNDS = Math.max(500, Number(process.env["CDH_TEST_ROUNDS"] ?? 0));

gatedTest(
  "whatever a core and its program hold, explaining ends with a summary or a refusal",
  [missingProgram("gdb"), buildObstacle("c-static")],
  async () => {
    const seeds = await makeMutationSeeds();
    const report = runMutations(seeds, ROUNDS, Math.floor(Math.random() * 2 ** 31));
    console.log(report);
    expect(report.rounds).toBe(ROUNDS);
    expect(report.refused).toBeLessThan(ROUNDS / 2);
  },
  7_200_000,
);
