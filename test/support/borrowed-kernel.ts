// Borrows the sysctls of core dumps for a test or the demo, and gives them back: at the end, on
// failure, on SIGINT, SIGTERM and SIGHUP. A borrower that was killed leaves a note beside the lock; the
// next one, or verify's last step, restores from it.
import {
  constants,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  CORE_PATTERN,
  CORE_PIPE_LIMIT,
  SOCKET_BUFFER,
  SUID_DUMPABLE,
} from "../../src/model/sysctls.ts";
import { kernelLockPath, takeKernelLock } from "./kernel-lock.ts";

const SYSCTLS = {
  corePattern: CORE_PATTERN,
  corePipeLimit: CORE_PIPE_LIMIT,
  suidDumpable: SUID_DUMPABLE,
  /** Only where a test asks for it. */
  socketBuffer: SOCKET_BUFFER,
};
const KEYS = ["corePattern", "corePipeLimit", "suidDumpable", "socketBuffer"] as const;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export type KernelSettings = Record<(typeof KEYS)[number], string>;

let borrowed = false;

/**
 * Runs with core_pattern set (127 characters at most, as the kernel cuts the rest in silence), then
 * puts back all of the sysctls, changed by whomever meanwhile.
 */
export async function withCorePattern<T>(
  corePattern: string,
  run: () => Promise<T>,
  others: Partial<Omit<KernelSettings, "corePattern">> = {},
): Promise<T> {
  return withKernel({ corePattern, corePipeLimit: "128", ...others }, run);
}

/**
 * Runs with some of the sysctls set, or with none where the borrower (an agent) sets them itself. A caller
 * that has to end the agent first, as it would set them anew, handles signals and calls restoreNow itself.
 */
export async function withKernel<T>(
  wanted: Partial<KernelSettings>,
  run: () => Promise<T>,
  { handleSignals = true }: { handleSignals?: boolean } = {},
): Promise<T> {
  if (borrowed) throw new Error("the kernel settings are borrowed already; do not nest");
  borrowed = true;
  const unlock = await takeKernelLock();
  try {
    restoreFromNote();
    writeNote(readKernel());
    const unhook = handleSignals ? restoreOnSignal() : () => {};
    try {
      writeKernel(wanted);
      return await run();
    } finally {
      unhook();
      restoreFromNote();
    }
  } finally {
    borrowed = false;
    unlock();
  }
}

/** The settings while nobody has borrowed them. */
export async function readKernelAtRest(): Promise<KernelSettings> {
  const unlock = await takeKernelLock();
  try {
    restoreFromNote();
    return readKernel();
  } finally {
    unlock();
  }
}

/**
 * Restores what a killed borrower left behind, then whatever else is not as in `expected`: an agent that
 * outlived its test may have set it anew. What was wrong, in a few words each; empty when nothing was.
 */
export async function restoreAtRest(expected: KernelSettings): Promise<string[]> {
  const unlock = await takeKernelLock();
  try {
    const killed = restoreFromNote() ? ["a borrower was killed"] : [];
    const found = readKernel();
    writeKernel(expected);
    const wrong = KEYS.filter((key) => found[key] !== expected[key]);
    return [...killed, ...wrong.map((key) => `${SYSCTLS[key].name} was ${found[key]}`)];
  } finally {
    unlock();
  }
}

/** For a signal's handler: gives back what this process has borrowed, if anything. */
export function restoreNow(): void {
  if (borrowed) restoreFromNote();
}

export function readKernel(): KernelSettings {
  return {
    corePattern: readSysctl("corePattern"),
    corePipeLimit: readSysctl("corePipeLimit"),
    suidDumpable: readSysctl("suidDumpable"),
    socketBuffer: readSysctl("socketBuffer"),
  };
}

function writeKernel(wanted: Partial<KernelSettings>): void {
  for (const key of KEYS) {
    const value = wanted[key];
    if (value === undefined || readSysctl(key) === value) continue;
    writeFileSync(sysctlFile(key), value);
    const kept = readSysctl(key);
    if (kept !== value) throw new Error(`${SYSCTLS[key].name} is ${kept} after writing ${value}`);
  }
}

/** Empty where the kernel does not show it (net.core in a container, on an older one). */
function readSysctl(key: (typeof KEYS)[number]): string {
  if (!existsSync(sysctlFile(key))) return "";
  return readFileSync(sysctlFile(key), "utf8").replace(/\n$/, "");
}

function sysctlFile(key: (typeof KEYS)[number]): string {
  return join("/proc/sys", SYSCTLS[key].path);
}

function notePath(): string {
  return `${kernelLockPath()}.originals`;
}

function writeNote(originals: KernelSettings): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(notePath(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(fd, JSON.stringify(originals));
  } finally {
    closeSync(fd);
  }
}

function restoreFromNote(): boolean {
  let text: string;
  try {
    text = readFileSync(notePath(), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
  // A borrower killed between creating its note and filling it had changed nothing yet.
  if (text !== "") writeKernel(JSON.parse(text) as KernelSettings);
  rmSync(notePath());
  return true;
}

/** Synchronous, as the process is about to end by the same signal. */
function restoreOnSignal(): () => void {
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      unhook();
      endChildren();
      restoreFromNote();
      process.kill(process.pid, signal);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  const unhook = () => {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  };
  return unhook;
}

/** An agent that outlived us would set the sysctls anew (it watches them for drift). */
function endChildren(): void {
  for (const task of readdirSync("/proc/self/task")) {
    const list = `/proc/self/task/${task}/children`;
    const pids = existsSync(list) ? readFileSync(list, "utf8").split(" ").map(Number) : [];
    for (const pid of pids.filter((candidate) => candidate > 0)) endChild(pid);
  }
}

/** Whether it was still there or not, it does not matter: the settings must be given back in any case. */
function endChild(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
