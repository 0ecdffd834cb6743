// A process of its own that takes a place for a dump, as a composer does, says whether it got one, and keeps it until
// its standard input ends.
import { takePlace } from "../../src/composer/dumps-at-once.ts";

const [hostDir = "", tenant = "", limit = "1"] = process.argv.slice(2);
console.log(takePlace(hostDir, tenant, Number(limit)) ? "taken" : "full");
await Bun.stdin.text();
