// Says how much of a core and its modules we look at. An attacker may have made both; beyond a limit the summary lists
// what was left out. The figures leave room for the largest real programs that were seen.

/** Threads that are unwound; the others are counted. */
export const THREADS_MAX = 64;
export const FRAMES_MAX = 128;
/** The most frames of all threads together; the crashing thread comes first. */
export const ALL_FRAMES_MAX = 3000;
export const MODULES_MAX = 512;
/** The most segments of a core, which has one for each mapping. */
export const PROGRAM_HEADERS_MAX = 70_000;
/** The most segments of a program or library, which has some twenty. */
export const MODULE_HEADERS_MAX = 256;
/** Files that are opened to see whether they are programs. */
export const FILES_OPENED_MAX = 1024;
/** Segments of notes: a core has one, a program two or three. */
export const NOTE_SEGMENTS_MAX = 16;
export const SECTIONS_MAX = 4096;
/** The most notes of all segments together; a thread has up to eight. */
export const NOTES_MAX = 200_000;
export const MODULE_NOTES_MAX = 256;
/** NT_FILE: 65,530 mappings of paths with 100 characters are 9 MB. */
export const FILE_NOTE_MAX_BYTES = 16 << 20;
export const MAPPINGS_MAX = 70_000;
/** Of one module; a program with 4 million symbols has as much. */
export const SYMBOL_TABLE_MAX_BYTES = 96 << 20;
export const SYMBOL_NAME_MAX_BYTES = 4096;
/** One CIE or FDE. */
export const FRAME_ENTRY_MAX_BYTES = 16 << 10;
/** Of an .eh_frame without a search table. */
export const FRAME_ENTRIES_MAX = 300_000;
/** For one row; the longest seen in a real program are a few hundred. */
export const CFA_INSTRUCTIONS_MAX = 10_000;
export const CFA_STATES_MAX = 64;
export const EXPRESSION_STEPS_MAX = 1000;
export const EXPRESSION_STACK_MAX = 64;
/** Words of the stack that a scan looks at; the first step may begin in a large frame. */
export const SCAN_WORDS = 40;
export const SCAN_FIRST_WORDS = 160;
/** The longest text that goes into a summary: a path, a message. */
export const TEXT_MAX_CHARACTERS = 1024;
