// RLIMIT_CORE. systemd or a runtime may start a process with 0, and the kernel writes no core file for it then
// (core(5)). The limit does not apply to a pipe or a socket.
import { loadLibc } from "./libc.ts";

const RLIMIT_CORE = 4;

/**
 * Runs `start` while the soft limit equals the hard one; a child that it starts keeps that limit. `start` must not
 * wait. Returns what it returns.
 */
export function withCoreAllowed<T>(start: () => T): T {
  const { getrlimit, setrlimit } = loadLibc({
    getrlimit: { args: ["i32", "ptr"], returns: "i32" },
    setrlimit: { args: ["i32", "ptr"], returns: "i32" },
  });
  /** The soft and the hard limit, in bytes (getrlimit(2)). */
  const before = new BigUint64Array(2);
  if (getrlimit(RLIMIT_CORE, before) !== 0) return start();
  const [, hard = 0n] = before;
  setrlimit(RLIMIT_CORE, BigUint64Array.of(hard, hard));
  try {
    return start();
  } finally {
    setrlimit(RLIMIT_CORE, before);
  }
}
