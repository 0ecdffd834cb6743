// The agent's command line (contract, section 1): which command, and with what. Nothing is done here.
import { parseArgs } from "node:util";
import { AppError } from "../model/app-error.ts";
import {
  parseReadingCommand,
  READING_COMMANDS,
  READING_OPTIONS,
  type ReadingCommand,
} from "../reading/reading-command.ts";
import { isShell, SHELLS, type Shell } from "./completion.ts";

/** uninstalled: a preStop hook asks once. behind: the chart's clean-up asks until it knows. */
export type RemoveWhen = "now" | "uninstalled" | "behind";

export type AgentCommand =
  | { name: "agent" }
  | { name: "apply" }
  | { name: "install"; configPath: string }
  | { name: "remove"; when: RemoveWhen; stay: boolean }
  | { name: "await-removal"; daemonSet: string; withinMs: number }
  | { name: "doctor"; json: boolean }
  | { name: "sweep"; file: string | undefined }
  | { name: "crash-test"; victim: boolean }
  | { name: "completion"; shell: Shell }
  | { name: "read"; command: ReadingCommand }
  | { name: "help"; topic: string | undefined }
  | { name: "version" };

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
  "when-uninstalled": { type: "boolean" },
  "behind-uninstall": { type: "boolean" },
  stay: { type: "boolean" },
  within: { type: "string" },
  victim: { type: "boolean" },
  config: { type: "string", short: "c" },
  ...READING_OPTIONS,
} as const;

/** Which options and how many operands each command takes. */
const OWN_COMMANDS: Readonly<Record<string, { options: readonly string[]; most: number }>> = {
  agent: { options: [], most: 0 },
  apply: { options: [], most: 0 },
  install: { options: ["config"], most: 0 },
  remove: { options: ["when-uninstalled", "behind-uninstall", "stay"], most: 0 },
  "await-removal": { options: ["within"], most: 1 },
  doctor: { options: ["json"], most: 0 },
  /** Run by main.ts; known here for its help and its completion. */
  listen: { options: [], most: 0 },
  sweep: { options: [], most: 1 },
  "crash-test": { options: ["victim"], most: 0 },
  completion: { options: [], most: 1 },
};

/** Every command with its options: for help pages and shell completion. */
export const COMMAND_OPTIONS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [...Object.entries(OWN_COMMANDS), ...Object.entries(READING_COMMANDS)].map(
    ([name, { options }]) => [name, options],
  ),
);

const SEE_HELP = { hint: "core-dump-handler --help lists the commands" };

/** Throws AppError "usage" that names what is not understood. */
export function parseAgentCommand(args: readonly string[]): AgentCommand {
  const { values, positionals } = parse(args);
  const [name = "agent", ...operands] = positionals;
  const {
    help,
    version,
    victim = false,
    config,
    "when-uninstalled": uninstalled,
    "behind-uninstall": behind,
    stay = false,
    within,
    ...forReading
  } = values;
  if (help === true) return { name: "help", topic: positionals[0] };
  if (name === "help") return { name, topic: operands[0] };
  if (version === true || name === "version") return { name: "version" };
  checkWords(name, operands, Object.keys(values));
  const reading = parseReadingCommand(name, operands, forReading, Date.now());
  if (reading !== undefined) return { name: "read", command: reading };
  switch (name) {
    case "install":
      if (config === undefined)
        throw new AppError("usage", "install needs --config FILE", SEE_HELP);
      return { name, configPath: config };
    case "remove":
      return { name, when: removeWhen(uninstalled === true, behind === true), stay };
    case "await-removal":
      return { name, daemonSet: parseName(operands[0]), withinMs: parseSeconds(within) * 1000 };
    case "doctor":
      return { name, json: forReading.json === true };
    case "sweep":
      return { name, file: operands[0] };
    case "crash-test":
      return { name, victim };
    case "completion":
      return { name, shell: parseShell(operands[0]) };
    case "apply":
      return { name };
    default:
      return { name: "agent" };
  }
}

function checkWords(name: string, operands: readonly string[], options: readonly string[]): void {
  const known = Object.hasOwn(COMMAND_OPTIONS, name) ? COMMAND_OPTIONS[name] : undefined;
  if (known === undefined)
    throw new AppError("usage", `there is no command ${JSON.stringify(name)}`, SEE_HELP);
  for (const option of options) if (!known.includes(option)) refuseOption(name, option);
  const most = OWN_COMMANDS[name]?.most ?? Number.POSITIVE_INFINITY;
  const extra = operands[most];
  if (extra !== undefined)
    throw new AppError("usage", `${name} does not take ${JSON.stringify(extra)}`, SEE_HELP);
}

function removeWhen(uninstalled: boolean, behind: boolean): RemoveWhen {
  if (uninstalled && behind)
    throw new AppError("usage", "--when-uninstalled and --behind-uninstall exclude one another");
  if (behind) return "behind";
  return uninstalled ? "uninstalled" : "now";
}

function parseName(name: string | undefined): string {
  if (name !== undefined) return name;
  throw new AppError("usage", "await-removal needs the name of a DaemonSet", SEE_HELP);
}

const WITHIN_SECONDS = "120";

function parseSeconds(text = WITHIN_SECONDS): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new AppError("usage", `--within ${JSON.stringify(text)} is no number of seconds`, SEE_HELP);
}

function parseShell(name: string | undefined): Shell {
  if (name !== undefined && isShell(name)) return name;
  throw new AppError("usage", `completion needs a shell: ${SHELLS.join(", ")}`, SEE_HELP);
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

function refuseOption(name: string, option: string): never {
  const owners = Object.keys(COMMAND_OPTIONS).filter((command) =>
    COMMAND_OPTIONS[command]?.includes(option),
  );
  const [owner] = owners;
  throw new AppError(
    "usage",
    owners.length === 1 ? `--${option} belongs to ${owner}` : `${name} has no option --${option}`,
    SEE_HELP,
  );
}
