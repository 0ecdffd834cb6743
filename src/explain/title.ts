// Makes the one line that a person reads first: the signal, what the library wrote or why the runtime ended the
// program, the innermost functions that matter, the program. "SIGSEGV in app::Worker<T>::get ← run ← main (prog)".
import { baseName } from "./c-library.ts";
import type { CulpritFrame } from "./normalisation.ts";
import type { SummaryMessage, SummarySignal } from "../model/crash-summary.ts";

const TITLE_FRAMES = 3;
const MESSAGE_MAX_CHARACTERS = 100;
const NAME_MAX_CHARACTERS = 64;
const TITLE_MAX_CHARACTERS = 240;

const SOURCE_FOLDER = /^\S*\/(?=[^\s/]{1,100}:\d+: )/u;

/** The parts that a title is made of. */
export interface TitleParts {
  signal: SummarySignal | null;
  isStackOverflow: boolean;
  message: SummaryMessage | null;
  /** Why the program ended itself, in a few words, where its runtime shows that (abort-reason.ts). */
  reason: string | null;
  culprits: readonly CulpritFrame[];
  program: string;
}

/** Makes the title. */
export function titleOf({
  signal,
  isStackOverflow,
  message,
  reason,
  culprits,
  program,
}: TitleParts): string {
  const what = isStackOverflow
    ? ": stack overflow"
    : message !== null
      ? `: ${firstLine(message.text, program)}`
      : reason === null
        ? ""
        : `: ${reason}`;
  const names = culprits.slice(0, TITLE_FRAMES).map(({ label }) => cut(label, NAME_MAX_CHARACTERS));
  const where = names.length === 0 ? "" : ` in ${names.join(" ← ")}`;
  const whose = program === "" ? "" : ` (${cut(baseName(program), NAME_MAX_CHARACTERS)})`;
  return cut(`${signal?.name ?? "crash"}${what}${where}${whose}`, TITLE_MAX_CHARACTERS);
}

/** assert begins with the program's name, which stands at the title's end, and with a path as long as the build had. */
function firstLine(text: string, program: string): string {
  const [line = ""] = text.split("\n", 1);
  const prefix = `${baseName(program)}: `;
  const rest = line.startsWith(prefix) ? line.slice(prefix.length) : line;
  return cut(rest.replace(SOURCE_FOLDER, ""), MESSAGE_MAX_CHARACTERS);
}

function cut(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1)}…`;
}
