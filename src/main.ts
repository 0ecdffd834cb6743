// The program's door: argv and environment in, role chosen, its code loaded on demand, one catch.
import { basename } from "node:path";
import { COMPOSER_NAME } from "./model/core-pattern.ts";
import { describeError, exitCodeOf } from "./model/app-error.ts";

/** The kernel starts the composer by its name, with arguments of core_pattern's that are no command line of ours. */
async function run(): Promise<number> {
  const args = process.argv.slice(2);
  if (basename(process.argv0) === COMPOSER_NAME) {
    const { runForKernel } = await import("./composer/run-command.ts");
    return runForKernel(args);
  }
  const { runLine } = await import("./command/dispatch.ts");
  return runLine(args, process.env);
}

try {
  process.exit(await run());
} catch (error) {
  process.stderr.write(`core-dump-handler: ${describeError(error)}\n`);
  process.exit(exitCodeOf(error));
}
