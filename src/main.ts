// The program's door: argv and environment in, role chosen, its code loaded on demand, one catch.
import { basename, dirname } from "node:path";
import { COMPOSER_NAME } from "./model/core-pattern.ts";
import { describeError, exitCodeOf } from "./model/app-error.ts";

const [first, ...rest] = process.argv.slice(2);
/** The composer's folder on the host: `.env` and composer.log stand beside the executable. */
const hostDir = dirname(process.execPath);

async function run(): Promise<number> {
  if (basename(process.argv0) === COMPOSER_NAME) {
    const { runComposer } = await import("./composer/run.ts");
    return runComposer(process.argv.slice(2), hostDir);
  }
  if (first === "composer") {
    const { runComposer } = await import("./composer/run.ts");
    return runComposer(rest, hostDir);
  }
  const { runAgentCommand } = await import("./agent/run.ts");
  return runAgentCommand(process.argv.slice(2), process.env);
}

try {
  process.exit(await run());
} catch (error) {
  process.stderr.write(`core-dump-handler: ${describeError(error)}\n`);
  process.exit(exitCodeOf(error));
}
