// The canary: a program of ours that crashes on purpose, to prove the way from the kernel to a zip. What its
// files are called; the program itself is in canary-program.ts.

/** As the kernel cuts a process's name (TASK_COMM_LEN), so that %e is all of it. */
const NAME = /^cdh-[0-9a-f]{11}$/;
const NOTE = /^cdh-[0-9a-f]{11}\.note$/;
const ZIP = /^\.cdh-[0-9a-f]{11}-canary(?:-\d+)?\.zip$/;

/** A name for one canary: of its executable, and so of its process. */
export function canaryName(random: Uint8Array): string {
  return `cdh-${Buffer.from(random).toString("hex").slice(0, 11)}`;
}

export function isCanaryName(name: string): boolean {
  return NAME.test(name);
}

/**
 * The file in HOST_DIR, root's alone, that tells which program runs under a canary's name where that program
 * is not in HOST_DIR itself. While it is there, the canary is under way.
 */
export function canaryNote(name: string): string {
  return `${name}.note`;
}

export function isCanaryNote(name: string): boolean {
  return NOTE.test(name);
}

/** What the note says: the program's device and inode (stat(2)). */
export function formatCanaryNote(program: { device: bigint; inode: bigint }): string {
  return `${program.device}:${program.inode}`;
}

/** The zip's name in CORE_DIR without `.zip`: hidden, so that no sweep takes it. */
export function canaryZipBase(name: string): string {
  return `.${name}-canary`;
}

export function isCanaryZip(name: string): boolean {
  return ZIP.test(name);
}
