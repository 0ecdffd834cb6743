// What a command is: one row of the table (table.ts), from which parsing, help, completion and dispatch come.
import type { ProcessEnvironment } from "../host/process-environment.ts";

export interface OptionSpec {
  type: "boolean" | "string";
  /** One letter. */
  short?: string;
  /** What help calls the value of a string option. */
  value?: string;
  /** One line for help and completion; neither shows an option without it, which only our own processes use. */
  about?: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

export type OptionValues<Options extends OptionTable> = {
  readonly [Name in keyof Options]?: { boolean: boolean; string: string }[Options[Name]["type"]];
};

/** What a command is run with. */
export interface Call<Options extends OptionTable = OptionTable> {
  operands: readonly string[];
  options: OptionValues<Options>;
  /** The process's own environment. */
  realEnvironment: Record<string, string | undefined>;
  /** The same over the `.env` beside the executable. */
  loadEnvironment: () => Promise<ProcessEnvironment>;
  /** Every command there is, by its name. */
  commands: Readonly<Record<string, Command>>;
}

export interface Command<Options extends OptionTable = OptionTable> {
  /** Under which heading of the general help it stands. */
  group: "host" | "dumps" | "roles";
  /** The command line after the program's name. */
  usage: string;
  /** One line. */
  about: string;
  /** What its own page adds; lines of at most 108 characters. */
  text: string;
  exit: Readonly<Record<number, string>>;
  options: Options;
  /** Its arguments are no options of ours: they all arrive as operands. */
  raw?: true;
  operands: {
    most: number;
    /** What is missing where there are fewer operands than this has: "a file". */
    needs?: readonly string[];
  };
  /**
   * Throws AppError "usage" for values that do not go together; returns what does the work. Nothing on the host
   * changes before that is called. The role's code is imported in here, on demand.
   */
  prepare: (call: Call<Options>) => () => Promise<number>;
}

/** Lets the compiler check a row's options against what its `prepare` reads. */
export function defineCommand<const Options extends OptionTable>(
  row: Command<Options>,
): Command<Options> {
  return row;
}

/** The options that a person may use: "--since TIME" and what it is. */
export function shownOptions(
  options: OptionTable,
): { name: string; word: string; about: string; takesValue: boolean }[] {
  return Object.entries(options).flatMap(([name, { type, value = "VALUE", about }]) => {
    const takesValue = type === "string";
    const word = takesValue ? `--${name} ${value}` : `--${name}`;
    return about === undefined ? [] : [{ name, word, about, takesValue }];
  });
}

export const USUAL_EXIT = { 0: "done", 1: "could not", 2: "wrong command line or settings" };
