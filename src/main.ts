// The program's door: argv and environment in, role chosen, its code loaded on demand, one catch.
import { basename, dirname } from "node:path";
import { COMPOSER_NAME } from "./model/core-pattern.ts";
import { EXIT, describeError, exitCodeOf } from "./model/app-error.ts";

/** The composer's folder on the host: `.env` and composer.log stand beside the executable. */
const hostDir = dirname(process.execPath);

async function run(): Promise<number> {
  const args = process.argv.slice(2);
  if (basename(process.argv0) === COMPOSER_NAME) return compose(args);
  if (args[0] === "composer") return composeFor(args.slice(1));
  if (args[0] === "make-room") return makeRoom(args.slice(1));
  if (args[0] === "listen" && !asksForHelp(args[1])) return listen(args.slice(1));
  const { runAgentCommand } = await import("./agent/run.ts");
  return runAgentCommand(args, process.env);
}

/** -h is the host name here, as in the ancestor; only --help asks for help. */
async function compose(args: string[]): Promise<number> {
  if (args[0] === "--help") {
    const { COMPOSER_HELP } = await import("./composer/help.ts");
    process.stdout.write(COMPOSER_HELP);
    return EXIT.done;
  }
  const { runComposer } = await import("./composer/run.ts");
  return runComposer(args, hostDir);
}

function asksForHelp(option: string | undefined): boolean {
  return option === "--help" || option === "-h";
}

async function listen(args: string[]): Promise<number> {
  const { readRemovalSettings } = await import("./config/agent-settings.ts");
  const { runListener } = await import("./listener/run.ts");
  return runListener(args, readRemovalSettings(process.env));
}

/** Started by a composer, for a CORE_DIR of thousands of dumps. */
async function makeRoom(args: string[]): Promise<number> {
  const { runRoomMaker } = await import("./composer/room.ts");
  process.stdout.write(await runRoomMaker(args));
  return EXIT.done;
}

/** Started by the listener or the agent, which say where the core comes from. */
async function composeFor(args: string[]): Promise<number> {
  const { parseInvocation } = await import("./composer/core-source.ts");
  const invocation = parseInvocation(args);
  if (invocation.args[0] === "--help") return compose(["--help"]);
  const { runComposer } = await import("./composer/run.ts");
  return runComposer(invocation.args, invocation.hostDir ?? hostDir, 0, invocation.source);
}

try {
  process.exit(await run());
} catch (error) {
  process.stderr.write(`core-dump-handler: ${describeError(error)}\n`);
  process.exit(exitCodeOf(error));
}
