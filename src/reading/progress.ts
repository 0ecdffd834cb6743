// Shows the progress of a long step in one line on stderr, if that is a terminal.
import { oneLine } from "../model/printable.ts";
import { formatBytes } from "../model/byte-text.ts";

const EVERY_MS = 200;

/** The progress of one step. */
export interface Progress {
  at(bytes: number): void;
  /** Removes the line. */
  end(): void;
}

/** Begins to show a step that tells in words how far it is. */
export function showWords(): { at(words: string): void; end(): void } {
  if (!process.stderr.isTTY) return { at: () => undefined, end: () => undefined };
  let shownMs = 0;
  return {
    at(words) {
      if (Date.now() - shownMs < EVERY_MS) return;
      shownMs = Date.now();
      process.stderr.write(`\r\x1b[K${oneLine(words)}`);
    },
    end: () => void process.stderr.write("\r\x1b[K"),
  };
}

/** Begins to show a step of totalBytes. */
export function showProgress(what: string, totalBytes: number): Progress {
  if (!process.stderr.isTTY) return { at: () => undefined, end: () => undefined };
  let shownMs = 0;
  return {
    at(bytes) {
      if (Date.now() - shownMs < EVERY_MS) return;
      shownMs = Date.now();
      const percent = totalBytes === 0 ? 100 : Math.floor((bytes / totalBytes) * 100);
      process.stderr.write(`\r\x1b[K${oneLine(what)}: ${formatBytes(bytes)} (${percent} %)`);
    },
    end: () => void process.stderr.write("\r\x1b[K"),
  };
}
