// What the composer copies of a held process for the explainer, in one file: the core's first bytes at its beginning,
// pieces of the process's memory behind them, then a table of both as JSON, then where the table is.
import * as v from "valibot";

/** The descriptors that an explainer is started with: the log's end on 0, its answer goes to 1. */
export const EXCERPT_FD = 3;
/** The mapped files follow, one descriptor each, in the table's order. */
export const FIRST_MODULE_FD = 4;
/** The space for the answer, in bytes. */
export const ANSWER_MAX_BYTES = 512 * 1024;
/** The end of the answer's space, where the bug's id stands as soon as it is known, in 16 hex digits. */
export const BUG_BYTES = 16;
export const BUG_AT = ANSWER_MAX_BYTES - BUG_BYTES;
/** The end of the container's log that is looked through for a panic, in bytes. */
export const LOG_TAIL_BYTES = 64 * 1024;

const address = v.pipe(v.string(), v.regex(/^[0-9a-f]{1,16}$/));

const tableSchema = v.object({
  headBytes: v.number(),
  /** The descriptor of the whole core, where it lies in a file; null where there are its first bytes and `ranges`. */
  coreFd: v.nullable(v.number()),
  /** False: the kernel keeps this process's memory from its own user (%d), and so does the summary. */
  mayShowMemory: v.boolean(),
  ranges: v.array(v.object({ address, offset: v.number(), sizeBytes: v.number() })),
  modules: v.array(v.object({ start: address, end: address })),
  /** By thread id. */
  threadNames: v.record(v.string(), v.string()),
});

export type ExcerptTable = v.InferOutput<typeof tableSchema>;

export const FOOTER_BYTES = 16;

/** Goes at tableOffset, the file's end so far. */
export function formatExcerptEnd(table: ExcerptTable, tableOffset: number): Buffer {
  const json = Buffer.from(JSON.stringify(table));
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeDoubleLE(tableOffset, 0);
  footer.writeDoubleLE(json.length, 8);
  return Buffer.concat([json, footer]);
}

/** Returns where the table is; `footer` is the last FOOTER_BYTES of the file. */
export function parseExcerptFooter(footer: Buffer): { offset: number; sizeBytes: number } {
  return { offset: footer.readDoubleLE(0), sizeBytes: footer.readDoubleLE(8) };
}

/** Throws for what is no table. */
export function parseExcerptTable(json: string): ExcerptTable {
  return v.parse(tableSchema, JSON.parse(json));
}
