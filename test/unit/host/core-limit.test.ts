// RLIMIT_CORE: a child gets what the hard limit allows, and we keep what we had.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { runTool } from "../../support/run-tool.ts";

const SOURCE = join(import.meta.dir, "../../../src/host/core-limit.ts");
const SHOW = `
import { withCoreAllowed } from ${JSON.stringify(SOURCE)};
const ask = () => Bun.spawnSync(["sh", "-c", "ulimit -Sc; ulimit -Hc"]).stdout.toString();
console.log(JSON.stringify([ask(), withCoreAllowed(ask), ask()]));
`;

async function limitsUnder(limits: string): Promise<string[]> {
  const script = `${limits}; exec "$0" -e "$1"`;
  return JSON.parse(await runTool(["sh", "-c", script, process.execPath, SHOW]));
}

test("the soft limit is raised to the hard one for the child alone", async () => {
  expect(await limitsUnder("ulimit -Hc 2000; ulimit -Sc 0")).toEqual([
    "0\n2000\n",
    "2000\n2000\n",
    "0\n2000\n",
  ]);
});

test("a hard limit of 0 stays", async () => {
  expect(await limitsUnder("ulimit -c 0")).toEqual(["0\n0\n", "0\n0\n", "0\n0\n"]);
});
