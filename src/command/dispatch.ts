// Runs a command line: parses it and calls the command's row.
import { EXIT } from "../model/app-error.ts";
import { VERSION } from "../model/version.ts";
import {
  directoryOfExecutable,
  loadEnvironment,
  shareAwsVariables,
  type ProcessEnvironment,
} from "../host/process-environment.ts";
import { HOST_PLACES } from "../agent/vm/places.ts";
import { parseLine } from "./parse.ts";
import { COMMANDS } from "./table.ts";

/** Runs a command line and returns the exit code. Throws AppError. */
export async function runLine(
  args: readonly string[],
  realEnvironment: Record<string, string | undefined>,
): Promise<number> {
  const line = parseLine(args);
  switch (line.kind) {
    case "help": {
      // Loads the texts on demand, because the composer comes this way too and must not pay for them.
      const { formatHelp, formatPage } = await import("./help.ts");
      return print(line.topic === undefined ? formatHelp() : formatPage(line.topic));
    }
    case "version":
      return print(`core-dump-handler ${VERSION}\n`);
    case "command": {
      const { operands, options } = line;
      const call = {
        operands,
        options,
        realEnvironment,
        loadEnvironment: () => loadShared(realEnvironment),
        loadInstalled: () => loadInstalled(realEnvironment),
        commands: COMMANDS,
      };
      return COMMANDS[line.name].prepare(call)();
    }
  }
}

async function loadShared(real: Record<string, string | undefined>): Promise<ProcessEnvironment> {
  const environment = await loadEnvironment(real, directoryOfExecutable());
  shareAwsVariables(environment, real);
  return environment;
}

async function loadInstalled(
  real: Record<string, string | undefined>,
): Promise<ProcessEnvironment> {
  const { findInstalled } = await import("../host/installed-host.ts");
  const { environment, unreadable } = await findInstalled(real, [
    directoryOfExecutable(),
    HOST_PLACES.programDir,
  ]);
  if (unreadable !== undefined)
    process.stderr.write(
      `core-dump-handler: continues without ${unreadable}, which only root can read\n`,
    );
  shareAwsVariables(environment, real);
  return environment;
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.done;
}
