// Every command there is. Parsing, help, completion and dispatch know no other place.
import type { Command } from "./command.ts";
import { DUMP_COMMANDS } from "./dump-commands.ts";
import { HOST_COMMANDS } from "./host-commands.ts";
import { ROLE_COMMANDS } from "./role-commands.ts";

const TABLE = { ...HOST_COMMANDS, ...DUMP_COMMANDS, ...ROLE_COMMANDS };

export type CommandName = keyof typeof TABLE;

/** In the order of the general help. Each row's `prepare` is only ever given what its own options parsed to. */
export const COMMANDS: Readonly<Record<CommandName, Command>> = TABLE;

export const COMMAND_NAMES = Object.keys(TABLE) as CommandName[];

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(TABLE, name);
}
