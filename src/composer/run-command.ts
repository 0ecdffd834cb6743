// The composer's two entrances: the kernel runs `cdc` by core_pattern; listener and agent run `core-dump-handler
// composer` and name the core's source first.
import { dirname } from "node:path";
import { EXIT } from "../model/app-error.ts";
import { parseInvocation } from "../model/composer-invocation.ts";
import { COMPOSER_HELP } from "./flags-help.ts";
import { runComposer } from "./run.ts";

/** The composer's folder on the host: `.env` and composer.log are beside the executable. */
const BESIDE_EXECUTABLE = dirname(process.execPath);

/**
 * Runs the composer for the kernel and returns the exit code (docs/contract.md, section 9). -h is the host name, as in
 * the ancestor; only --help prints the help.
 */
export async function runForKernel(args: readonly string[]): Promise<number> {
  return args[0] === "--help" ? printHelp() : runComposer(args, BESIDE_EXECUTABLE);
}

/** Runs the composer for listener or agent and returns the exit code. Throws AppError "usage" for an unknown source. */
export async function runComposerCommand(args: readonly string[]): Promise<number> {
  const { args: rest, hostDir = BESIDE_EXECUTABLE, source, uuid } = parseInvocation(args);
  return rest[0] === "--help" ? printHelp() : runComposer(rest, hostDir, 0, { source, uuid });
}

function printHelp(): number {
  process.stdout.write(COMPOSER_HELP);
  return EXIT.done;
}
