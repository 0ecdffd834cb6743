// The canary: a program of ours that crashes on purpose, to prove the way from the kernel to a zip. What its
// files are called; the program itself is in canary-program.ts.

/** As the kernel cuts a process's name (TASK_COMM_LEN), so that %e is all of it. */
const NAME = /^cdh-[0-9a-f]{11}$/;
const NOTE = /^cdh-[0-9a-f]{11}\.note$/;
const ZIP = /^\.cdh-[0-9a-f]{11}-canary(?:-\d+)?\.zip$/;

/** Makes the name of one canary from at least 6 random bytes. The executable has this name, and so has its process. */
export function canaryName(random: Uint8Array): string {
  return `cdh-${Buffer.from(random).toString("hex").slice(0, 11)}`;
}

/** Returns whether a process or file has a name that canaryName makes. Any process can choose such a name. */
export function isCanaryName(name: string): boolean {
  return NAME.test(name);
}

/**
 * Returns the name of the canary's note: a file in HOST_DIR that only root can write. The agent writes it where the
 * canary's program runs from outside HOST_DIR, so that the composer can recognise that program. The note exists while
 * the canary runs.
 */
export function canaryNote(name: string): string {
  return `${name}.note`;
}

/** Returns whether a file's name is one that canaryNote makes. */
export function isCanaryNote(name: string): boolean {
  return NOTE.test(name);
}

/** Writes the note's content: the program's device and inode (stat(2)). */
export function formatCanaryNote(program: { device: bigint; inode: bigint }): string {
  return `${program.device}:${program.inode}`;
}

/** Returns the zip's name in CORE_DIR without `.zip`. It is hidden, so that no sweep takes it. */
export function canaryZipBase(name: string): string {
  return `.${name}-canary`;
}

/** Returns whether a file of CORE_DIR is the zip of a canary. */
export function isCanaryZip(name: string): boolean {
  return ZIP.test(name);
}
