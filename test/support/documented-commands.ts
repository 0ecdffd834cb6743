// The shell commands that a page shows, in fenced blocks and in inline code, each as its words.

/** A command and where it stands. */
export interface DocumentedCommand {
  line: number;
  /** The program, without its folder. */
  program: string;
  args: string[];
  /** The command as the page has it. */
  text: string;
}

/** Starters of a command that stand before the program's own name. */
const PREFIXES = new Set(["sudo", "exec", "time", "env"]);

/** Finds the commands in a Markdown text. Heredocs' lines are no commands. */
export function findCommands(markdown: string): DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  const lines = markdown.split("\n");
  let fence: string | undefined;
  let heredoc: string | undefined;
  for (let at = 0; at < lines.length; at++) {
    let text = lines[at] ?? "";
    const line = at + 1;
    const mark = /^\s*(```+|~~~+)/.exec(text)?.[1];
    if (mark !== undefined) {
      fence = fence === undefined ? mark : undefined;
      continue;
    }
    if (fence === undefined) {
      for (const [, code = ""] of text.matchAll(/(?<!`)`([^`]+)`(?!`)/g))
        // A table escapes its divider.
        found.push(...commandsOf(code.replaceAll("\\|", "|"), line));
      continue;
    }
    if (heredoc !== undefined) {
      if (text.trim() === heredoc) heredoc = undefined;
      continue;
    }
    while (text.endsWith("\\") && at + 1 < lines.length)
      text = `${text.slice(0, -1)} ${(lines[++at] ?? "").trim()}`;
    heredoc = /<<-?\s*'?(\w+)'?/.exec(text)?.[1];
    found.push(...commandsOf(text.replace(/^\$ /, ""), line));
  }
  return found;
}

function commandsOf(text: string, line: number): DocumentedCommand[] {
  return splitCommands(text).flatMap((words) => {
    while (/^\w+=/.test(words[0] ?? "") || PREFIXES.has(words[0] ?? "")) words.shift();
    const [first, ...args] = words;
    if (first === undefined) return [];
    return [{ line, program: first.split("/").at(-1) ?? first, args, text: text.trim() }];
  });
}

/** Splits a line as a shell does, as far as pages go: quotes, comments, `|`, `&&`, `;` and redirections. */
function splitCommands(text: string): string[][] {
  const commands: string[][] = [[]];
  const word =
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|(\|\||&&|[|;&])|(\d*[<>]+\S*\s*\S*)|(#.*)|([^\s"'|;&<>]+)/g;
  let end = 0;
  for (const match of text.matchAll(word)) {
    const [whole, double, single, separator, redirection, comment, plain] = match;
    const isGlued = match.index === end && end > 0;
    end = match.index + whole.length;
    if (comment !== undefined && !isGlued) break;
    if (redirection !== undefined) continue;
    const command = commands.at(-1) ?? [];
    if (separator !== undefined) commands.push([]);
    else if (isGlued && command.length > 0)
      command[command.length - 1] += double ?? single ?? plain ?? comment ?? "";
    else command.push(double ?? single ?? plain ?? "");
  }
  return commands.filter((words) => words.length > 0);
}
