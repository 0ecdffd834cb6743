// The program's entrance: reads argv and environment, chooses the role, loads its code on demand, and catches every
// error.
import { basename } from "node:path";
import { COMPOSER_NAME } from "./model/core-pattern.ts";
import { exitCodeOf, formatError } from "./model/app-error.ts";

/** Runs the role. The kernel starts the composer by its name, with core_pattern's arguments instead of a command. */
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
  process.stderr.write(formatError(error, process.stderr.isTTY));
  process.exit(exitCodeOf(error));
}
