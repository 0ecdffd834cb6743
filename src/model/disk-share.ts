// Reads a part of a filesystem as settings write it: "10%" of its size, or a number of bytes.

const PERCENT = /^(\d{1,2}(?:\.\d+)?|100)%$/;

/** Returns whether a text is a share, such as "10%" or "1048576". */
export function isDiskShare(text: string): boolean {
  return PERCENT.test(text) || (/^\d+$/.test(text) && Number.isSafeInteger(Number(text)));
}

/** Returns the share's size in bytes, in a filesystem of totalBytes. A text that is no share counts as 0. */
export function shareOf(text: string, totalBytes: number): number {
  const percent = PERCENT.exec(text)?.[1];
  if (percent !== undefined) return Math.floor((totalBytes * Number(percent)) / 100);
  return isDiskShare(text) ? Number(text) : 0;
}
