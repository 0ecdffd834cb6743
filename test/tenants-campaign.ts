// `bun test/tenants-campaign.ts [--minutes 30] [--interval 5000] [--hostile-interval 200] [--store directory|s3]
// [--capture pipe|socket|file] [--timeout 30] [--keep]`: three tenants on one node, one of them hostile. Says of every
// crash of the two honest ones whether it was delivered, whole and rightly named; ends with 1 where one was not.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { containerdObstacle } from "./support/containerd.ts";
import { kernelObstacle, missingProgram } from "./support/gate.ts";
import { s3Obstacle } from "./support/radosgw.ts";
import { formatTenantsCampaign, runTenantsCampaign } from "./support/tenants-campaign.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    interval: { type: "string", default: "5000" },
    "hostile-interval": { type: "string", default: "200" },
    store: { type: "string", default: "directory" },
    capture: { type: "string", default: "pipe" },
    timeout: { type: "string", default: "30" },
    keep: { type: "boolean", default: false },
  },
});

function oneOf<const T extends string>(name: string, given: string, words: readonly T[]): T {
  const found = words.find((word) => word === given);
  if (found === undefined) throw new Error(`--${name} is ${given}; expected ${words.join(" or ")}`);
  return found;
}

const store = oneOf("store", values.store, ["directory", "s3"]);
const capture = oneOf("capture", values.capture, ["pipe", "socket", "file"]);
const obstacle =
  kernelObstacle() ??
  containerdObstacle() ??
  missingProgram("unzip") ??
  (store === "s3" ? s3Obstacle() : undefined);
if (obstacle !== undefined) throw new Error(`the campaign ${obstacle}`);
const folder = mkdtempSync(join(tmpdir(), "cdh-tenants-"));
try {
  const figures = await runTenantsCampaign({
    folder,
    minutes: Number(values.minutes),
    intervalMs: Number(values.interval),
    hostileMs: Number(values["hostile-interval"]),
    store,
    capture,
    timeout: Number(values.timeout),
    say: (line) => console.log(line),
  });
  console.log(formatTenantsCampaign(figures));
  const isRight = figures.verdicts.every(({ wrong }) => wrong === undefined);
  // Without a crash nothing was shown.
  process.exitCode = isRight && figures.verdicts.length > 0 ? 0 : 1;
} finally {
  if (values.keep) console.log(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
process.exit();
