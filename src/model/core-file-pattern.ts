// The core_pattern of file capture, and how to read the names of the files that it makes. The kernel resolves the
// pattern in the crashing process's own root and writes with that process's rights (core(5)). A container's user can
// therefore make files of such names too, so a name proves nothing.

import { COMPOSER_FLAGS, formatFlag, KERNEL_NUMBERS } from "./composer-flags.ts";

/** The folder in which the kernel puts cores, below the crashing process's root. */
export const CORE_FILE_DIRECTORY = "/tmp";

/** The beginning of every such file's name. */
export const CORE_FILE_PREFIX = ".cdh-core.";

/** The beginning of every such pattern, and so of every file's path. */
export const FILE_PATTERN_PREFIX = `${CORE_FILE_DIRECTORY}/${CORE_FILE_PREFIX}`;

/** Numbers first; then what the process chooses. 255 bytes at most, whatever they are: %e has 15, %h 64. */
export const FILE_PATTERN = `${FILE_PATTERN_PREFIX}${KERNEL_NUMBERS.map((name) => `%${COMPOSER_FLAGS[name].specifier}.`).join("")}%e~%h`;

/** %c is the longest: 18446744073709551615. */
const NAME = new RegExp(
  `^${RegExp.escape(CORE_FILE_PREFIX)}${KERNEL_NUMBERS.map(() => "([0-9]{1,20})\\.").join("")}(.*)$`,
  "s",
);

/** What the kernel wrote about a crash into the name of the core's file. */
export interface CoreFileName {
  /** %P and %p; they are equal for a process in the host's pid namespace. */
  hostPid: number;
  pid: number;
  signal: number;
  timestampSeconds: number;
  /** %e, which the process chooses. */
  exeName: string;
  /** The same as arguments of the composer (docs/contract.md, section 2). */
  flags: string[];
}

/**
 * Parses a file's name; undefined for one that the pattern cannot make. %e may hold a `~`, a host name of Kubernetes
 * cannot.
 */
export function parseCoreFileName(name: string): CoreFileName | undefined {
  const found = NAME.exec(name);
  const text = found?.at(-1);
  if (found === null || text === undefined) return undefined;
  const numbers = found.slice(1, -1);
  const tilde = text.lastIndexOf("~");
  if (tilde === -1) return undefined;
  const [exeName, hostname] = [text.slice(0, tilde), text.slice(tilde + 1)];
  const value = (flag: (typeof KERNEL_NUMBERS)[number]) =>
    Number(numbers[KERNEL_NUMBERS.indexOf(flag)]);
  return {
    hostPid: value("host-pid"),
    pid: value("pid"),
    signal: value("signal"),
    timestampSeconds: value("timestamp"),
    exeName,
    flags: [
      ...KERNEL_NUMBERS.map((flag, index) => formatFlag(flag, numbers[index] ?? "")),
      formatFlag("hostname", hostname),
      formatFlag("exe-name", exeName),
    ],
  };
}
