// A text as one word of a shell's command line, which people copy from what this program prints.

/** Quotes a text as one word for any shell: no option, no expansion, no second command. */
export function shellWord(text: string): string {
  return /^[\w./][\w./:@%+,=-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
