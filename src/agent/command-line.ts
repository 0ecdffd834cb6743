// The agent's command line (contract, section 1): which command, and with what. Nothing is done here.
import { parseArgs } from "node:util";
import { AppError } from "../model/app-error.ts";
import { parseReadingCommand, READING_OPTIONS, type ReadingCommand } from "./reading/command.ts";

export type AgentCommand =
  | { name: "agent" }
  | { name: "remove"; onlyWhenUninstalled: boolean }
  | { name: "doctor"; json: boolean }
  | { name: "sweep"; file: string | undefined }
  | { name: "crash-test"; victim: boolean }
  | { name: "read"; command: ReadingCommand }
  | { name: "help" }
  | { name: "version" };

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
  "when-uninstalled": { type: "boolean" },
  victim: { type: "boolean" },
  ...READING_OPTIONS,
} as const;

const SEE_HELP = { hint: "core-dump-handler --help lists the commands" };

/** Throws AppError "usage" that names what is not understood. */
export function parseAgentCommand(args: readonly string[]): AgentCommand {
  const { values, positionals } = parse(args);
  const [name = "agent", ...operands] = positionals;
  const {
    help,
    version,
    victim = false,
    "when-uninstalled": whenUninstalled,
    ...forReading
  } = values;
  if (help === true || name === "help") return { name: "help" };
  if (version === true || name === "version") return { name: "version" };
  const reading = parseReadingCommand(name, operands, forReading, Date.now());
  if (reading !== undefined) return { name: "read", command: reading };
  const { json, ...others } = forReading;
  const [foreign] = Object.keys(name === "doctor" ? others : forReading);
  if (foreign !== undefined)
    throw new AppError("usage", `${name} has no option --${foreign}`, SEE_HELP);
  const onlyWhenUninstalled = whenUninstalled === true;
  if (onlyWhenUninstalled && name !== "remove")
    throw new AppError("usage", "--when-uninstalled belongs to remove", SEE_HELP);
  if (victim && name !== "crash-test")
    throw new AppError("usage", "--victim belongs to crash-test", SEE_HELP);
  switch (name) {
    case "crash-test":
      refuseOperands(name, operands, 0);
      return { name, victim };
    case "agent":
      refuseOperands(name, operands, 0);
      return { name };
    case "doctor":
      refuseOperands(name, operands, 0);
      return { name, json: json === true };
    case "remove":
      refuseOperands(name, operands, 0);
      return { name, onlyWhenUninstalled };
    case "sweep":
      refuseOperands(name, operands, 1);
      return { name, file: operands[0] };
    default:
      throw new AppError("usage", `there is no command ${JSON.stringify(name)}`, SEE_HELP);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // node:util's own sentence names the flag; what follows the first sentence is advice for programmers.
    const message = error instanceof Error ? error.message : String(error);
    throw new AppError("usage", message.split(". ")[0] ?? message, SEE_HELP);
  }
}

function refuseOperands(name: string, operands: readonly string[], allowed: number): void {
  const extra = operands[allowed];
  if (extra !== undefined)
    throw new AppError("usage", `${name} does not take ${JSON.stringify(extra)}`, SEE_HELP);
}
