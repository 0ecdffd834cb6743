// A process of its own that asks the crash-loop limit once, as one composer of many does.
import { countCrash } from "../../src/composer/crash-loop-limit.ts";

const [hostDir = "", workload = "", limit = "1"] = process.argv.slice(2);
const limits = { perWorkload: Number(limit), perNamespace: 0, windowMs: 60_000 };
const verdict = await countCrash(hostDir, { namespace: "shop", workload }, limits);
console.log(verdict.kind);
