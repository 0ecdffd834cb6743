// What the kernel tells about one crash. Each field names the core_pattern specifier it comes from (core(5)); it is
// null where the kernel, or the caller's pattern, left it out.

/** One crash, as the kernel described it. */
export interface CrashContext {
  /** %P: pid in the initial pid namespace; what /proc on the host knows. */
  hostPid: number | null;
  /** %I: thread id in the initial pid namespace. */
  hostTid: number | null;
  /** %p: pid in the process's own namespace. */
  pid: number | null;
  /** %s */
  signal: number | null;
  /** %t: seconds since the epoch. */
  timestampSeconds: number;
  /** %c: the soft RLIMIT_CORE in bytes, as the kernel prints it (may be 18446744073709551615). */
  limitSize: string;
  /** %u, %g: real ids in the initial user namespace. */
  uid: number | null;
  gid: number | null;
  /** %d: 1 where the process's owner may read the dump, 0 or 2 where only root may. */
  dumpable: number | null;
  /** %F: the pidfd's number in this process (3), Linux 6.16. */
  pidfd: number | null;
  /** %h: the crashing process's UTS node name; `/` arrives as `!`. */
  hostname: string;
  /** %e: comm, at most 15 bytes, chosen by the process. */
  exeName: string;
  /** %E: path of the executable with `/` as `!`. */
  pathname: string;
}
