// The core_pattern of file capture, and what the names of such files tell. The kernel resolves it in the crashing
// process's own root and writes with that process's rights (core(5)), so a container's user can make files of this
// name too: nothing here is proof of anything.

/** Where the kernel is to put cores, below the crashing process's root. */
export const CORE_FILE_DIRECTORY = "/tmp";

/** What the names of such files begin with. */
export const CORE_FILE_PREFIX = ".cdh-core.";

/** What every such pattern, and so every file, begins with. */
export const FILE_PATTERN_PREFIX = `${CORE_FILE_DIRECTORY}/${CORE_FILE_PREFIX}`;

/** Numbers first; then what the process chooses. 255 bytes at most, whatever they are: %e has 15, %h 64. */
export const FILE_PATTERN = `${FILE_PATTERN_PREFIX}%P.%I.%p.%s.%t.%c.%u.%g.%d.%e~%h`;

/** Each number's flag on the composer's command line, in the pattern's order. */
const NUMBERS = ["-P", "-I", "-p", "-s", "-t", "-c", "-u", "-g", "-k"] as const;

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
    hostPid: value("-P"),
    pid: value("-p"),
    signal: value("-s"),
    timestampSeconds: value("-t"),
    exeName,
    flags: [
      ...NUMBERS.map((flag, index) => `${flag}=${numbers[index] ?? ""}`),
      `-h=${hostname}`,
      `-e=${exeName}`,
    ],
  };
}
