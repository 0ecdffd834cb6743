// Reads what the C library wrote before it aborted the program. glibc keeps it for debuggers at __abort_msg: the words
// of malloc's checks, of assert, and of the compiler's checks for buffer overflows. musl keeps nothing.
import { findObject } from "./object-symbol.ts";
import { untilNul } from "./elf-notes.ts";
import { TEXT_MAX_CHARACTERS } from "./limits.ts";
import { orUndefined } from "./malformed.ts";
import { isCLibrary } from "./c-library.ts";
import type { MappedModule } from "./mapped-modules.ts";
import type { UnwindContext } from "./unwind-context.ts";
import type { SummaryMessage } from "../model/crash-summary.ts";

/** struct abort_msg_s: its own size, then the text. */
const TEXT_AT = 4n;

/** Returns the message; null where there is none or it cannot be read. */
export function readAbortMessage(
  context: UnwindContext,
  executable: MappedModule | undefined,
): SummaryMessage | null {
  const libraries = context.modules.all.filter(({ path }) => isCLibrary(path));
  // A static program has it inside; to look through every program's variables costs more than all the rest.
  const candidates =
    libraries.some(({ path }) => path !== "[vdso]") || executable === undefined
      ? libraries
      : [executable];
  for (const { image, bias } of candidates) {
    const place =
      image === undefined
        ? undefined
        : orUndefined(() => findObject(image, "__abort_msg", context.budget));
    const message = place === undefined ? undefined : context.word(place + bias);
    if (message === undefined || message === 0n) continue;
    const text = untilNul(context.memory.read(message + TEXT_AT, TEXT_MAX_CHARACTERS)).trim();
    if (text !== "") return { text, source: "abort_message", language: "glibc" };
  }
  return null;
}
