// Lets a canary crash and reports what became of it; doctor/check-canary.ts judges that.
import { lstatSync } from "node:fs";
import { lstat, readdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { withCoreAllowed } from "../../host/core-limit.ts";
import { removeFile, writeFileAtomically } from "../../host/files.ts";
import { machineName } from "../../host/machine.ts";
import { openMemoryProgram, type MemoryProgram } from "../../host/memory-file.ts";
import { describeError } from "../../model/app-error.ts";
import {
  canaryName,
  canaryNote,
  formatCanaryNote,
  isCanaryName,
  isCanaryNote,
  isCanaryZip,
} from "../../model/canary.ts";
import { formatCanaryProgram } from "../../model/canary-program.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { FILE_PATTERN_PREFIX } from "../../model/core-file-pattern.ts";
import { readComposerTrace, type ComposerTrace } from "./composer-trace.ts";

/**
 * How long a canary's crash may take. A crash of 1 MB takes 0.2 s on an idle machine; the runtime may take CRI_TIMEOUT
 * more.
 */
export interface CanaryLimits {
  /** How long the process may be held, in ms. */
  heldMs: number;
  /** How long the zip may take after that, in ms. */
  publishedMs: number;
}

/** What became of a canary. */
export interface CanaryEnd {
  name: string;
  /** 32 random bytes that the core must contain. */
  marker: Buffer;
  /** Why the canary could not start; undefined where it did. */
  notStarted: string | undefined;
  signal: string | undefined;
  heldMs: number;
  /** The composer's records; in file mode no composer gets the core. */
  trace: ComposerTrace;
  /** In file mode the path of the core in this process's root; the caller removes it. */
  coreFile: string | undefined;
}

const POLL_MS = 50;
/** How long a composer may take from the crash to its first line, in ms. */
const FIRST_LINE_MS = 3_000;
const LEFT_BEHIND_MS = 10 * 60_000;
const NO_TRACE: ComposerTrace = { started: false, end: undefined, lastLine: undefined };

/** Runs one canary. `mode` is the host's present capture mode; in file mode the core is in this process's root. */
export async function runCanary(
  hostDir: string,
  limits: CanaryLimits,
  mode: CaptureMode = "pipe",
): Promise<CanaryEnd> {
  const name = canaryName(crypto.getRandomValues(new Uint8Array(8)));
  const marker = Buffer.from(crypto.getRandomValues(new Uint8Array(32)));
  const program = formatCanaryProgram(machineName(), marker);
  const path = join(hostDir, name);
  try {
    await writeFileAtomically(path, program, 0o700);
    let crash = await crashOnce(path, limits.heldMs);
    if (crash.notStarted !== undefined) {
      // Where HOST_DIR allows no execution, cores may still come by socket or file.
      const inHostDir = crash.notStarted;
      crash = await crashFromMemory(hostDir, name, program, limits.heldMs);
      if (crash.notStarted !== undefined)
        crash.notStarted = `${inHostDir}; from memory: ${crash.notStarted}`;
    }
    const end = { name, marker, ...crash };
    if (mode === "file") return { ...end, trace: NO_TRACE, coreFile: await findCore(name) };
    const trace = await waitForEnd(hostDir, name, limits.publishedMs);
    return { ...end, trace, coreFile: undefined };
  } finally {
    await removeFile(join(hostDir, canaryNote(name)));
    await removeFile(path);
  }
}

/**
 * Starts the program from memory through a link with the canary's name, which the process then has too. The composer
 * trusts root's note beside it.
 */
async function crashFromMemory(
  hostDir: string,
  name: string,
  content: Uint8Array,
  heldMaxMs: number,
): Promise<Crash> {
  let program: MemoryProgram | undefined;
  try {
    program = openMemoryProgram(name, content);
    await writeFileAtomically(join(hostDir, canaryNote(name)), formatCanaryNote(program));
    await removeFile(join(hostDir, name));
    await symlink(program.path, join(hostDir, name));
    return await crashOnce(join(hostDir, name), heldMaxMs);
  } catch (error) {
    return { notStarted: describeError(error), signal: undefined, heldMs: 0 };
  } finally {
    program?.close();
  }
}

/**
 * Returns whether a canary of this name runs; only root can make it seem so. In file mode the harvest leaves its core
 * alone meanwhile, and afterwards treats a file of such a name like any other.
 */
export function isCanaryUnderWay(hostDir: string, exeName: string): boolean {
  if (!isCanaryName(exeName)) return false;
  return lstatSync(join(hostDir, exeName), { throwIfNoEntry: false }) !== undefined;
}

/** Finds the core, which the kernel has written before the process ends. */
async function findCore(name: string): Promise<string | undefined> {
  const folder = dirname(FILE_PATTERN_PREFIX);
  const names = await readdir(folder).catch(() => []);
  const found = names.find(
    (entry) => join(folder, entry).startsWith(FILE_PATTERN_PREFIX) && entry.includes(`.${name}~`),
  );
  return found === undefined ? undefined : join(folder, found);
}

/** Removes the files of canaries whose doctor was killed. Returns their number. */
export async function removeOldCanaries(
  hostDir: string,
  coreDir: string,
  olderMs = LEFT_BEHIND_MS,
): Promise<number> {
  let count = 0;
  for (const [directory, isOurs] of [
    [hostDir, isCanaryFile],
    [coreDir, isCanaryZip],
  ] as const)
    for (const name of await readdir(directory).catch(() => [])) {
      if (!isOurs(name)) continue;
      const found = await lstat(join(directory, name)).catch(() => undefined);
      if (found === undefined || found.isDirectory() || Date.now() - found.mtimeMs < olderMs)
        continue;
      await removeFile(join(directory, name));
      count++;
    }
  return count;
}

function isCanaryFile(name: string): boolean {
  return isCanaryName(name) || isCanaryNote(name);
}

type Crash = Pick<CanaryEnd, "notStarted" | "signal" | "heldMs">;

async function crashOnce(path: string, heldMaxMs: number): Promise<Crash> {
  const startedMs = performance.now();
  try {
    const child = withCoreAllowed(() =>
      Bun.spawn([path], {
        cwd: "/",
        env: {},
        stdio: ["pipe", "ignore", "ignore"],
        timeout: heldMaxMs,
        killSignal: "SIGKILL",
      }),
    );
    await child.stdin.write("\n");
    await child.stdin.end();
    await child.exited;
    const signal = child.signalCode === null ? undefined : String(child.signalCode);
    return { notStarted: undefined, signal, heldMs: performance.now() - startedMs };
  } catch (error) {
    return { notStarted: describeError(error), signal: undefined, heldMs: 0 };
  }
}

/** Waits until composer.log has the crash's last record, or is silent for too long. */
async function waitForEnd(hostDir: string, exe: string, maxMs: number): Promise<ComposerTrace> {
  const startedMs = performance.now();
  for (;;) {
    const trace = await readComposerTrace(hostDir, exe);
    const waitedMs = performance.now() - startedMs;
    if (trace.end !== undefined || waitedMs > (trace.started ? maxMs : FIRST_LINE_MS)) return trace;
    await Bun.sleep(POLL_MS);
  }
}
