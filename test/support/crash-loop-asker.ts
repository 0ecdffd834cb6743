// A process of its own that asks the crash-loop limit once, as one composer of many does.
import { countCrash } from "../../src/composer/crash-loop.ts";

const [hostDir = "", workload = "", limit = "1"] = process.argv.slice(2);
const verdict = await countCrash(hostDir, workload, { limit: Number(limit), windowMs: 60_000 });
console.log(verdict.kind);
