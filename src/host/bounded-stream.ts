// What another process writes to us: all of it is read, so that it never waits for us, and a bounded part is kept.
import { oneLine } from "../model/printable.ts";

/** The first bytes, after which nothing more is read, or the last ones, however many come. */
export type Kept = "beginning" | "end";

/** Keeps maxBytes at most. isCut: there were more. */
export async function readBoundedText(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  kept: Kept,
): Promise<{ text: string; isCut: boolean }> {
  let chunks: Uint8Array[] = [];
  let [sizeBytes, isCut] = [0, false];
  for await (const chunk of stream) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    isCut ||= sizeBytes > maxBytes;
    if (isCut && kept === "beginning") break;
    if (sizeBytes <= 2 * maxBytes) continue;
    chunks = [Buffer.concat(chunks).subarray(-maxBytes)];
    sizeBytes = maxBytes;
  }
  const bytes = Buffer.concat(chunks);
  const wanted = kept === "beginning" ? bytes.subarray(0, maxBytes) : bytes.subarray(-maxBytes);
  return { text: wanted.toString("utf8"), isCut };
}

/** The last line of a text, printable. */
export function lastLine(text: string): string {
  return oneLine(text.trimEnd().split("\n").at(-1) ?? "");
}
