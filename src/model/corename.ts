// Escapes a name as the kernel does for core_pattern (fs/coredump.c, cn_esc_printf), so that a name is the same in
// every capture mode. Pure.

/** Returns the name with each `/` as `!`. Changes a name that is empty, `.` or `..` as the kernel does. */
export function corenameText(text: string): string {
  if (text === "") return "!";
  const safe = text === "." || text === ".." ? `!${text.slice(1)}` : text;
  return safe.replaceAll("/", "!");
}
