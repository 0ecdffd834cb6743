// The machine code that only a start needs is most of what the executable has in memory: 28 MiB are mapped, some 12 of
// them ever again. They are clean pages of a file, which all composers share, but they count as each one's own.
import { readFileSync } from "node:fs";
import { loadLibc } from "./libc.ts";

const MADV_DONTNEED = 4;
/** address-address r-xp offset device inode path (proc_pid_maps(5)); inode 0 is no file. */
const CODE = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ [1-9]\d* /;

/**
 * Unmaps the pages of the largest mapped code, which is the executable's; what is run again comes back from the page
 * cache. Only read-only, never written mappings: nothing is lost. Best effort: false where it was not done.
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
