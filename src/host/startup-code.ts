// Releases machine code that only the start needs, most of the executable's memory: of 28 MiB that are mapped, some 12
// are used again. All composers share these clean pages of a file, but each composer's RSS counts them.
import { readFileSync } from "node:fs";
import { loadLibc } from "./libc.ts";

const MADV_DONTNEED = 4;
/** Matches address-address r-xp offset device inode path (proc_pid_maps(5)); inode 0 is no file. */
const CODE = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ [1-9]\d* /;

/**
 * Drops the pages of the largest code mapping, which is the executable's. Code that runs again comes back from the page
 * cache, and a read-only mapping loses nothing. Returns false where it could not.
 */
export function forgetStartupCode(): boolean {
  try {
    const [largest] = readFileSync("/proc/self/maps", "latin1")
      .split("\n")
      .flatMap((line) => {
        const [, start = "", end = ""] = CODE.exec(line) ?? [];
        if (start === "") return [];
        const address = BigInt(`0x${start}`);
        return [{ address, sizeBytes: BigInt(`0x${end}`) - address }];
      })
      .toSorted((a, b) => Number(b.sizeBytes - a.sizeBytes));
    if (largest === undefined) return false;
    const { madvise } = loadLibc({
      madvise: { args: ["u64", "u64", "i32"], returns: "i32" },
    });
    return madvise(largest.address, largest.sizeBytes, MADV_DONTNEED) === 0;
  } catch {
    return false; // no /proc, or no such call: it stays as it is
  }
}
