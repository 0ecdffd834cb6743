// How the kernel puts a name into core_pattern's place (fs/coredump.c, cn_esc_printf), so that names are the same
// by whichever way a core comes. Pure.

/** `/` becomes `!`; a name that is empty, `.` or `..` cannot stand as it is. */
export function corenameText(text: string): string {
  if (text === "") return "!";
  const safe = text === "." || text === ".." ? `!${text.slice(1)}` : text;
  return safe.replaceAll("/", "!");
}
