// RLIMIT_CORE, which a process started by systemd or a runtime may have as 0: no core file is written then
// (core(5)). A pipe and a socket do not ask for it.
import { loadLibc } from "./libc.ts";

const RLIMIT_CORE = 4;

/** Runs `start` with as much core as the hard limit allows: a child that it starts keeps that. It must not wait. */
export function withCoreAllowed<T>(start: () => T): T {
  const { getrlimit, setrlimit } = loadLibc({
    getrlimit: { args: ["i32", "ptr"], returns: "i32" },
    setrlimit: { args: ["i32", "ptr"], returns: "i32" },
  });
  /** Soft and hard, in bytes (getrlimit(2)). */
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
