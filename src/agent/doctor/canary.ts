// Lets a canary crash, and finds what became of it. It says what happened; what that means is check-canary.ts's.
import { lstat, readdir } from "node:fs/promises";
import { machineName } from "../../host/machine.ts";
import { join } from "node:path";
import { removeFile, writeFileAtomically } from "../../host/files.ts";
import { describeError } from "../../model/app-error.ts";
import { canaryName, isCanaryName, isCanaryZip } from "../../model/canary.ts";
import { formatCanaryProgram } from "../../model/canary-program.ts";
import { readComposerTrace, type ComposerTrace } from "./composer-trace.ts";

/** A crash of 1 MB takes 0.2 s on an idle machine; the runtime may take CRI_TIMEOUT more. */
export interface CanaryLimits {
  /** How long its process may be held. */
  heldMs: number;
  /** How long the zip may take after that. */
  publishedMs: number;
}

export interface CanaryEnd {
  name: string;
  /** 32 random bytes that its core must show. */
  marker: Buffer;
  /** Why it could not even be started. */
  notStarted: string | undefined;
  signal: string | undefined;
  heldMs: number;
  trace: ComposerTrace;
}

const POLL_MS = 50;
/** How long after the crash a composer may take to write its first line. */
const FIRST_LINE_MS = 3_000;
const LEFT_BEHIND_MS = 10 * 60_000;

export async function runCanary(hostDir: string, limits: CanaryLimits): Promise<CanaryEnd> {
  const name = canaryName(crypto.getRandomValues(new Uint8Array(8)));
  const marker = Buffer.from(crypto.getRandomValues(new Uint8Array(32)));
  const path = join(hostDir, name);
  await writeFileAtomically(path, formatCanaryProgram(machineName(), marker), 0o700);
  try {
    const crash = await crashOnce(path, limits.heldMs);
    const trace = await waitForEnd(hostDir, name, limits.publishedMs);
    return { name, marker, ...crash, trace };
  } finally {
    await removeFile(path);
  }
}

/** Removes the files of canaries whose doctor was killed. Returns how many there were. */
export async function removeOldCanaries(
  hostDir: string,
  coreDir: string,
  olderMs = LEFT_BEHIND_MS,
): Promise<number> {
  let count = 0;
  for (const [directory, isOurs] of [
    [hostDir, isCanaryName],
    [coreDir, isCanaryZip],
  ] as const)
    for (const name of await readdir(directory).catch(() => [])) {
      if (!isOurs(name)) continue;
      const found = await lstat(join(directory, name)).catch(() => undefined);
      if (found?.isFile() !== true || Date.now() - found.mtimeMs < olderMs) continue;
      await removeFile(join(directory, name));
      count++;
    }
  return count;
}

type Crash = Pick<CanaryEnd, "notStarted" | "signal" | "heldMs">;

async function crashOnce(path: string, heldMaxMs: number): Promise<Crash> {
  const startedMs = performance.now();
  try {
    const child = Bun.spawn([path], {
      cwd: "/",
      env: {},
      stdio: ["pipe", "ignore", "ignore"],
      timeout: heldMaxMs,
      killSignal: "SIGKILL",
    });
    await child.stdin.write("\n");
    await child.stdin.end();
    await child.exited;
    const signal = child.signalCode === null ? undefined : String(child.signalCode);
    return { notStarted: undefined, signal, heldMs: performance.now() - startedMs };
  } catch (error) {
    return { notStarted: describeError(error), signal: undefined, heldMs: 0 };
  }
}

/** Until composer.log tells the end, or is silent for too long. */
async function waitForEnd(hostDir: string, exe: string, maxMs: number): Promise<ComposerTrace> {
  const startedMs = performance.now();
  for (;;) {
    const trace = await readComposerTrace(hostDir, exe);
    const waitedMs = performance.now() - startedMs;
    if (trace.end !== undefined || waitedMs > (trace.started ? maxMs : FIRST_LINE_MS)) return trace;
    await Bun.sleep(POLL_MS);
  }
}
