// The type of a command: one row of table.ts, from which parsing, help, completion and dispatch are made.
import type { ProcessEnvironment } from "../host/process-environment.ts";

/** One option. */
export interface OptionSpec {
  type: "boolean" | "string";
  /** The option's letter. */
  short?: string;
  /** The name of a string option's value in the help. */
  value?: string;
  /** The words that a string option may have, where they are few, for completion. */
  words?: readonly string[];
  /**
   * One line for help and completion. Neither shows an option without it, which only this program's own processes use.
   */
  about?: string;
}

/** A command's options by their long names. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** The parsed values of a table of options. */
export type OptionValues<Options extends OptionTable> = {
  readonly [Name in keyof Options]?: { boolean: boolean; string: string }[Options[Name]["type"]];
};

/** The parsed command line, as a command gets it. */
export interface Call<Options extends OptionTable = OptionTable> {
  operands: readonly string[];
  options: OptionValues<Options>;
  /** The process's environment. */
  realEnvironment: Record<string, string | undefined>;
  /** Reads the environment together with the `.env` beside the executable. */
  loadEnvironment: () => Promise<ProcessEnvironment>;
  /** The same with the folders of the install on this host, for commands that a person types. */
  loadInstalled: () => Promise<ProcessEnvironment>;
  /** All commands by name. */
  commands: Readonly<Record<string, Command>>;
}

/** One command. */
export interface Command<Options extends OptionTable = OptionTable> {
  /** The heading in the general help. */
  group: "host" | "dumps" | "roles";
  /** The command line after the program's name. */
  usage: string;
  /** One line about the command. */
  about: string;
  /** The further text of its page, in lines of at most 108 characters. */
  text: string;
  exit: Readonly<Record<number, string>>;
  options: Options;
  /** Set where the arguments are not parsed and all arrive as operands. */
  raw?: true;
  operands: {
    /** What completion offers for the first operand beside files: the names of dumps here, or keys of the store. */
    are?: "dumps" | "keys";
    most: number;
    /** The required operands, as the message about a missing one names them: "a file". */
    needs?: readonly string[];
  };
  /**
   * Checks the values and returns the function that does the work; nothing on the host changes before that runs.
   * Imports the role's code on demand. Throws AppError "usage" for values that do not go together.
   */
  prepare: (call: Call<Options>) => () => Promise<number>;
}

/** Returns the row unchanged. Lets the compiler check its options against what its `prepare` reads. */
export function defineCommand<const Options extends OptionTable>(
  row: Command<Options>,
): Command<Options> {
  return row;
}

/** Returns the options that a person may use, with their descriptions. */
export function shownOptions(options: OptionTable): ShownOption[] {
  return Object.entries(options).flatMap(([name, option]) => {
    const { type, value = "VALUE", about, words = [], short } = option;
    const takesValue = type === "string";
    const letter = short === undefined ? "" : `-${short}, `;
    const word = `${letter}--${name}${takesValue ? ` ${value}` : ""}`;
    return about === undefined ? [] : [{ name, word, about, takesValue, words }];
  });
}

/** An option as help and completion show it. */
export interface ShownOption {
  name: string;
  /** The option with its letter and its value's name: "-S, --since TIME". */
  word: string;
  about: string;
  takesValue: boolean;
  /** The words that the value may be; empty where it may be any. */
  words: readonly string[];
}

/** The exit codes of most commands (docs/contract.md, section 9). */
export const USUAL_EXIT = { 0: "done", 1: "could not", 2: "wrong command line or settings" };
