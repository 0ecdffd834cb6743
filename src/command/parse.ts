// Parses a command line by the table of commands. Does nothing else. Refuses a word that is no command and names the
// nearest one.
import { parseArgs } from "node:util";
import { AppError } from "../model/app-error.ts";
import type { OptionSpec } from "./command.ts";
import { spellOrdinal } from "../model/dump-ordinal.ts";
import { nearestWord } from "../model/nearest-word.ts";
import { COMMAND_NAMES, COMMANDS, isCommandName, type CommandName } from "./table.ts";

/** A parsed command line. */
export type ParsedLine =
  | { kind: "help"; topic: CommandName | undefined }
  | { kind: "version" }
  | {
      kind: "command";
      name: CommandName;
      operands: readonly string[];
      options: Readonly<Record<string, string | boolean>>;
    };

/** The two options of every command. */
const GENERAL_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
};

const SEE_HELP = "core-dump-handler --help lists the commands";

/** Parses a command line; no arguments at all mean `agent`. Throws AppError "usage" that names the unknown part. */
export function parseLine(args: readonly string[]): ParsedLine {
  const [first = ""] = args;
  if (isCommandName(first) && COMMANDS[first].raw === true)
    return { kind: "command", name: first, operands: args.slice(1), options: {} };
  const { values, tokens } = tokenize(args);
  const { help = false, version = false, ...options } = values;
  const operands = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  const word = operands.shift();
  if (help === true && word === undefined) return { kind: "help", topic: undefined };
  if (word === "help") {
    const [topic] = operands;
    return { kind: "help", topic: topic === undefined ? undefined : topicOf(topic) };
  }
  if (help === true) return { kind: "help", topic: topicOf(word) };
  if (version === true || word === "version") return { kind: "version" };
  if (tokens.find(({ kind }) => kind !== "option")?.kind === "option-terminator")
    throw refuseTerminator(word);
  if (word !== undefined) return { kind: "command", ...checked(topicOf(word), operands, options) };
  return { kind: "command", ...checked("agent", operands, options) };
}

function tokenize(args: readonly string[]) {
  const tables = Object.values(COMMANDS).map(({ options }) => options);
  const options = Object.assign({}, GENERAL_OPTIONS, ...tables) as typeof GENERAL_OPTIONS;
  try {
    const known = Object.fromEntries(
      Object.entries(options).map(([name, { type, short }]) => [
        name,
        short === undefined ? { type } : { type, short },
      ]),
    );
    return parseArgs({
      args: withOrdinals(args),
      options: known,
      allowPositionals: true,
      tokens: true,
    });
  } catch (error) {
    throw refuseSyntax(args, Object.keys(options), error);
  }
}

/** Spells -1, -2, … as words, as parseArgs would take them for options; what follows `--` is left alone. */
function withOrdinals(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.map((arg, at) => (end >= 0 && at > end ? arg : spellOrdinal(arg)));
}

function checked(
  name: CommandName,
  operands: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Omit<Extract<ParsedLine, { kind: "command" }>, "kind"> {
  const { options: known, operands: wanted } = COMMANDS[name];
  for (const option of Object.keys(options))
    if (!Object.hasOwn(known, option)) throw refuseOption(name, option);
  const missing = wanted.needs?.[operands.length];
  if (missing !== undefined) throw refuse(`${name} needs ${missing}`, `${name} --help`);
  const extra = operands[wanted.most];
  if (extra !== undefined) throw refuse(`${name} does not take ${JSON.stringify(extra)}`);
  return { name, operands, options: options as Record<string, string | boolean> };
}

function topicOf(word: string | undefined): CommandName {
  if (word !== undefined && isCommandName(word)) return word;
  const nearest = nearestWord(word ?? "", COMMAND_NAMES);
  throw refuse(`there is no command ${JSON.stringify(word ?? "")}`, nearest);
}

/** Refuses `--` in the command's place, so that a word behind it is never taken for a command or ignored. */
function refuseTerminator(word: string | undefined): AppError {
  const nearest = word === undefined ? undefined : nearestWord(word, COMMAND_NAMES);
  return refuse('a command comes first, "--" behind it', nearest);
}

function refuseOption(name: CommandName, option: string): AppError {
  const owners = COMMAND_NAMES.filter((other) => Object.hasOwn(COMMANDS[other].options, option));
  const [owner] = owners;
  return refuse(
    owners.length === 1 ? `--${option} belongs to ${owner}` : `${name} has no option --${option}`,
  );
}

/** Turns node:util's error into an AppError, with a clearer sentence for an unknown option. */
function refuseSyntax(
  args: readonly string[],
  options: readonly string[],
  error: unknown,
): AppError {
  const message = error instanceof Error ? error.message : String(error);
  const typed = /^Unknown option '(-{1,2}([^'=]+))/.exec(message);
  const command = args.find((arg) => isCommandName(arg));
  // Takes only the first sentence; the rest is advice for programmers.
  if (typed === null)
    return refuse(message.split(". ")[0] ?? message, command && `${command} --help`);
  const [, option = "", name = ""] = typed;
  const nearest = nearestWord(name, options);
  return refuse(
    command === undefined ? `there is no option ${option}` : `${command} has no option ${option}`,
    nearest === undefined ? undefined : `${command ?? ""} --${nearest}`.trim(),
  );
}

function refuse(sentence: string, meant?: string): AppError {
  const hint = meant === undefined ? SEE_HELP : `did you mean: core-dump-handler ${meant}?`;
  return new AppError("usage", sentence, { hint });
}
