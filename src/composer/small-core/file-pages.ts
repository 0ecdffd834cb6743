// The memory of a process that has ended, from its core in a file.
import { read } from "node:fs";
import type { CoreSegments } from "./core-segments.ts";
import { PAGE, type PageMemory } from "./page-memory.ts";

/** Reads by offset, so that the file's own position stays. The caller closes the file. */
export function openFilePages(fd: number, segments: CoreSegments): PageMemory {
  return {
    states: (_, count) => Promise.resolve(new Uint8Array(count).fill(PAGE.there)),
    async read(first, into) {
      const { pageBytes } = segments;
      const segment = segments.at(segments.find(first));
      const position = segment.offset + (first - segment.start) * pageBytes;
      const bytes = await new Promise<number>((resolve) => {
        read(fd, into, 0, into.length, position, (error, count) =>
          resolve(error === null ? count : 0),
        );
      });
      return bytes - (bytes % pageBytes);
    },
    close: () => undefined,
  };
}
