// The core_pattern of file capture, and what the names of such files tell. The kernel resolves it in the crashing
// process's own root and writes with that process's rights (core(5)), so a container's user can make files of this
// name too: nothing here is proof of anything.

import { COMPOSER_FLAGS, formatFlag } from "./composer-flags.ts";

/** Where the kernel is to put cores, below the crashing process's root. */
export const CORE_FILE_DIRECTORY = "/tmp";

/** What the names of such files begin with. */
export const CORE_FILE_PREFIX = ".cdh-core.";

/** What every such pattern, and so every file, begins with. */
export const FILE_PATTERN_PREFIX = `${CORE_FILE_DIRECTORY}/${CORE_FILE_PREFIX}`;

/** Each number as the composer's flag that takes it, in the pattern's order. */
const NUMBERS = [
  "host-pid",
  "host-tid",
  "pid",
  "signal",
  "timestamp",
  "limit-size",
  "uid",
  "gid",
  "dumpable",
] as const;

/** Numbers first; then what the process chooses. 255 bytes at most, whatever they are: %e has 15, %h 64. */
export const FILE_PATTERN = `${FILE_PATTERN_PREFIX}${NUMBERS.map((name) => `%${COMPOSER_FLAGS[name].specifier}.`).join("")}%e~%h`;

/** %c is the longest: 18446744073709551615. */
const NAME = new RegExp(
  `^${RegExp.escape(CORE_FILE_PREFIX)}${NUMBERS.map(() => "([0-9]{1,20})\\.").join("")}(.*)$`,
  "s",
);

/** What the name of a core's file says of its crash. */
export interface CoreFileName {
  /** %P and %p: the same for a process outside any pid namespace of its own. */
  hostPid: number;
  pid: number;
  signal: number;
  timestampSeconds: number;
  /** %e: of the process's own choice. */
  exeName: string;
  /** The same as arguments of the composer (contract, section 2). */
  flags: string[];
}

/** undefined for a name that the pattern does not make. %e may hold a `~`, a host name of Kubernetes does not. */
export function parseCoreFileName(name: string): CoreFileName | undefined {
  const found = NAME.exec(name);
  const text = found?.at(-1);
  if (found === null || text === undefined) return undefined;
  const numbers = found.slice(1, -1);
  const tilde = text.lastIndexOf("~");
  if (tilde === -1) return undefined;
  const [exeName, hostname] = [text.slice(0, tilde), text.slice(tilde + 1)];
  const value = (flag: (typeof NUMBERS)[number]) => Number(numbers[NUMBERS.indexOf(flag)]);
  return {
    hostPid: value("host-pid"),
    pid: value("pid"),
    signal: value("signal"),
    timestampSeconds: value("timestamp"),
    exeName,
    flags: [
      ...NUMBERS.map((flag, index) => formatFlag(flag, numbers[index] ?? "")),
      formatFlag("hostname", hostname),
      formatFlag("exe-name", exeName),
    ],
  };
}
