// kernel.core_file_note_size_limit (Linux 6.9): how long a core's list of mapped files may be. The kernel leaves out a
// longer list and logs it once a boot. Without the list a debugger does not know which file lies at which address.

/** Below /proc/sys. */
export const NOTE_LIMIT_PATH = "kernel/core_file_note_size_limit";
/** The highest value that the kernel accepts for it, in bytes. */
export const NOTE_LIMIT_MAX_BYTES = 16 * 2 ** 20;

/** fs/binfmt_elf.c, fill_files_note(); from 6.18 on the other messages begin with the process, which is hostile. */
const TOO_LARGE = /^coredump:? (?:\d+\(.{1,16}\): )?Note size too large: (\d+)/;

/** Reads the left-out list's length in bytes from a message of the kernel's log; undefined for any other message. */
export function parseNoteTooLarge(message: string): number | undefined {
  const sizeBytes = TOO_LARGE.exec(message)?.[1];
  return sizeBytes === undefined ? undefined : Number(sizeBytes);
}
