// `bun test/campaign.ts [--dumps 100] [--kills 30] [--max-bytes 300000000] [--tls] [--seed N]`: the fault campaign at
// its full size. verify runs a short one (test/e2e/store/campaign.test.ts).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatCampaign, MIXED_RATES, runCampaign } from "./support/campaign.ts";
import { s3Obstacle } from "./support/radosgw.ts";

const { values } = parseArgs({
  options: {
    dumps: { type: "string", default: "100" },
    kills: { type: "string", default: "30" },
    "max-bytes": { type: "string", default: "300000000" },
    tls: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

const obstacle = s3Obstacle();
if (obstacle !== undefined) throw new Error(`the campaign ${obstacle}`);
const folder = mkdtempSync(join(tmpdir(), "cdh-campaign-"));
console.log(`seed ${values.seed}`);
try {
  const figures = await runCampaign({
    folder,
    dumps: Number(values.dumps),
    minBytes: 1000,
    maxBytes: Number(values["max-bytes"]),
    kills: Number(values.kills),
    batches: 5,
    seed: Number(values.seed),
    tls: values.tls,
    rates: MIXED_RATES,
    say: (line) => console.log(line),
  });
  console.log(formatCampaign(figures));
  process.exitCode = figures.problems.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
