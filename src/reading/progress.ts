// How far a long step is: one line on a terminal's stderr, nothing anywhere else.
import { oneLine } from "../model/printable.ts";
import { formatBytes } from "../model/byte-text.ts";

const EVERY_MS = 200;

export interface Progress {
  at(bytes: number): void;
  /** Clears the line. */
  end(): void;
}

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
