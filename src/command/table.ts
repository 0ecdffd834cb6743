// The table of all commands, the only source for parsing, help, completion and dispatch.
import type { Command } from "./command.ts";
import { DUMP_COMMANDS } from "./dump-commands.ts";
import { HOST_COMMANDS } from "./host-commands.ts";
import { ROLE_COMMANDS } from "./role-commands.ts";

const TABLE = { ...HOST_COMMANDS, ...DUMP_COMMANDS, ...ROLE_COMMANDS };

/** The name of a command. */
export type CommandName = keyof typeof TABLE;

/** All commands in the order of the general help. Each row's `prepare` gets only the values of its own options. */
export const COMMANDS: Readonly<Record<CommandName, Command>> = TABLE;

/** The names of all commands. */
export const COMMAND_NAMES = Object.keys(TABLE) as CommandName[];

/** Returns whether a name is a command's. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(TABLE, name);
}
