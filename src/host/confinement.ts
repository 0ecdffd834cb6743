// A process that gives up what it may do, for good, before it looks at hostile bytes: it keeps its descriptors, memory
// up to a limit and the processor for a while. All its threads are bound, those of the engine too.
import { ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import { AppError } from "../model/app-error.ts";
import { loadLibc } from "./libc.ts";

export interface Bounds {
  /** What it may allocate beyond what it has already, in bytes. */
  memoryBytes: number;
  cpuSeconds: number;
  /** The longest file that it may write to, in bytes. */
  fileBytes: number;
}

/** nobody, by number: the host's list of users is not ours. */
const NOBODY = 65_534;
/** include/uapi/asm-generic/resource.h: the same numbers on x86-64 and arm64. */
const [RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_CORE, RLIMIT_NOFILE] = [0, 1, 2, 4, 7];
const [PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS] = [4, 38];

const [ALLOW, REFUSE, NO_SUCH_CALL, KILL] = [0x7fff0000, 0x00050001, 0x00050026, 0x80000000];
/** include/uapi/linux/bpf_common.h: load a word, jump if equal, if greater or equal, if a bit is set, return. */
const [LOAD, IF_EQUAL, IF_AT_LEAST, IF_SET, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06];
/** struct seccomp_data. */
const [NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT] = [0, 4, 16];
const CLONE_THREAD = 0x10000;
const [SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC] = [1, 1];
/** The 32-bit ABI of x86-64 (x32). */
const X32 = 0x40000000;

/**
 * System calls by number. Refused: every way to another file, process, address or namespace; the descriptors that are
 * open already are all that is left.
 */
const CALLS =
  process.arch === "arm64"
    ? {
        architecture: 0xc00000b7,
        seccomp: 277,
        clone: 220,
        tgkill: 131,
        prlimit: 261,
        refused: [
          [33, 34, 35, 36, 37, 38, 45, 276, 53, 54, 56, 88, 437, 452], // files
          [40, 39, 41, 51, 97, 268, 264, 265], // mounts and namespaces
          [198, 199, 200, 201, 202, 203, 242, 425, 426], // sockets, io_uring
          [221, 281, 117, 270, 271, 129, 130, 138, 240, 424, 434, 438], // processes
          [217, 218, 219, 241, 280, 282, 279], // keys, perf, bpf, userfaultfd, memfd
        ].flat(),
      }
    : {
        architecture: 0xc000003e,
        seccomp: 317,
        clone: 56,
        tgkill: 234,
        prlimit: 302,
        refused: [
          [2, 85, 257, 437, 133, 259, 83, 258, 86, 265, 88, 266, 82, 264, 316, 87, 263, 84], // files
          [90, 92, 94, 260, 268, 76, 132, 235, 261, 280, 452], // their owners, modes and times
          [165, 166, 155, 161, 272, 308, 303, 304], // mounts and namespaces
          [41, 53, 42, 49, 50, 43, 288, 425, 426], // sockets, io_uring
          [59, 322, 57, 58, 101, 310, 311, 62, 200, 129, 297, 424, 434, 438], // processes
          [248, 249, 250, 298, 321, 323, 319], // keys, perf, bpf, userfaultfd, memfd
        ].flat(),
      };
/** The same on both: without it the C library takes clone(2), whose flags a filter can see. */
const CLONE3 = 435;

/**
 * Throws AppError "host" where any part of it is refused; the caller must then end. What the process still needs
 * (code, files, libraries) must be loaded and open.
 */
export function confine(bounds: Bounds): void {
  const libc = loadLibc({
    setgroups: { args: ["u64", "ptr"], returns: "i32" },
    setresgid: { args: ["u32", "u32", "u32"], returns: "i32" },
    setresuid: { args: ["u32", "u32", "u32"], returns: "i32" },
    setrlimit: { args: ["i32", "ptr"], returns: "i32" },
    prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
    syscall: { args: ["i64", "i64", "i64", "ptr"], returns: "i64" },
  });
  const limit = (resource: number, value: number) =>
    libc.setrlimit(resource, BigUint64Array.of(BigInt(value), BigInt(value)));
  const program = seccompProgram();
  // struct sock_fprog: how many instructions of 8 bytes, and where.
  const filter = BigUint64Array.of(BigInt(program.length / 8), BigInt(ptr(program)));
  const steps: Record<string, () => number> = {
    "its own end as a core": () => limit(RLIMIT_CORE, 1), // the kernel starts no helper for it then (fs/coredump.c)
    "processor time": () => limit(RLIMIT_CPU, bounds.cpuSeconds),
    "file size": () => limit(RLIMIT_FSIZE, bounds.fileBytes),
    memory: () => limit(RLIMIT_DATA, dataBytes() + bounds.memoryBytes),
    "open files": () => limit(RLIMIT_NOFILE, 0),
    // The C library does these three for every thread.
    groups: () => libc.setgroups(0, null),
    group: () => libc.setresgid(NOBODY, NOBODY, NOBODY),
    user: () => libc.setresuid(NOBODY, NOBODY, NOBODY),
    dumpable: () => libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0),
    privileges: () => libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
    // The filter goes to every thread, and no_new_privs with it (seccomp(2)).
    "system calls": () =>
      Number(
        libc.syscall(CALLS.seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, filter),
      ),
  };
  for (const [what, step] of Object.entries(steps))
    if (step() !== 0) throw new AppError("host", `the explainer cannot be confined (${what})`);
}

/** VmData of proc_pid_status(5), which is what RLIMIT_DATA limits: the engine reserves some at its start. */
function dataBytes(): number {
  const kilobytes = /^VmData:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kilobytes ?? Number.NaN) * 1024;
}

function seccompProgram(): Buffer {
  const instruction = (code: number, value: number, yes = 0, no = 0) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt16LE(code, 0);
    bytes.writeUInt8(yes, 2);
    bytes.writeUInt8(no, 3);
    bytes.writeUInt32LE(value >>> 0, 4);
    return bytes;
  };
  const answer = (value: number) => instruction(RETURN, value);
  const { architecture, clone, tgkill, prlimit, refused } = CALLS;
  const own = (number: number, step: Buffer[]) => [
    instruction(IF_EQUAL, number, 0, 4),
    instruction(LOAD, FIRST_ARGUMENT_AT),
    ...step,
    answer(REFUSE),
    answer(ALLOW),
  ];
  const parts = [
    [instruction(LOAD, ARCHITECTURE_AT), instruction(IF_EQUAL, architecture, 1), answer(KILL)],
    [instruction(LOAD, NUMBER_AT), instruction(IF_AT_LEAST, X32, 0, 1), answer(REFUSE)],
    refused.flatMap((number) => [instruction(IF_EQUAL, number, 0, 1), answer(REFUSE)]),
    [instruction(IF_EQUAL, CLONE3, 0, 1), answer(NO_SUCH_CALL)],
    // A thread, but no process.
    own(clone, [instruction(IF_SET, CLONE_THREAD, 1)]),
    // Signals and limits of its own only: the engine stops its threads by signals.
    own(tgkill, [instruction(IF_EQUAL, process.pid, 1)]),
    own(prlimit, [instruction(IF_EQUAL, 0, 1)]),
    [answer(ALLOW)],
  ];
  return Buffer.concat(parts.flat());
}
