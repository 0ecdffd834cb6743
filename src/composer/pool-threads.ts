// The threads that Bun's pool has: on them run the compressors and what waits for files.
import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism, setPriority } from "node:os";
import { setNativeVariable } from "../host/libc.ts";

const POOL_THREAD = /^Bun Pool/;
/** How many threads there are beside one for each processor, so that a file's read or write need not wait for a
 * compressor. Each takes a MiB. */
const FILE_THREADS = 1;
/** The nice value of compressors that nobody waits for. */
const LOW_PRIORITY = 5;

/** Sizes the pool. To be called before anything uses it: Bun reads the variable once, and has no other way. */
export function sizePool(): void {
  setNativeVariable("UV_THREADPOOL_SIZE", String(availableParallelism() + FILE_THREADS));
}

/** Lets the node's other programs go first from here on. */
export function lowerPoolPriority(): void {
  try {
    for (const tid of readdirSync("/proc/self/task"))
      if (POOL_THREAD.test(readFileSync(`/proc/self/task/${tid}/comm`, "utf8")))
        setPriority(Number(tid), LOW_PRIORITY);
  } catch {
    // A thread may have ended, and the kernel may refuse: it then goes on as it was.
  }
}
