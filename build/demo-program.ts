// The program that crashes for the demo: a C program where a compiler is at hand (its frames have names),
// else Node, which npx has brought. Either fills some memory, says "ready" and dies of SIGSEGV by itself.
import { compilerObstacle, buildCrashProgram } from "../test/support/crash-program.ts";

export const MEMORY_MB = 256;

export interface DemoProgram {
  /** What it is, for the reader. */
  title: string;
  /** The executable that a debugger wants to know. */
  path: string;
  /** Crashes by itself. */
  crashing: string[];
  /** The same, but waiting for its end. */
  waiting: string[];
}

export interface DemoCrash {
  signalCode: string | number | null;
  /** From the crash to the end of the process: its core is taken meanwhile. */
  heldMs: number;
}

const NODE_SCRIPT = `
const memory = Buffer.alloc(${MEMORY_MB} * 2 ** 20, "request 17 took 289 us\\n");
process.stdout.write("ready\\n", () => process.argv[1] && process.kill(process.pid, "SIGSEGV"));
setInterval(() => memory.length, 1000);`;

export async function chooseProgram(): Promise<DemoProgram> {
  if (compilerObstacle() === undefined) {
    const path = await buildCrashProgram("segfault");
    return {
      title: "a C program that writes through a null pointer",
      path,
      crashing: [path, String(MEMORY_MB)],
      waiting: [await buildCrashProgram("mapping"), String(MEMORY_MB)],
    };
  }
  const path = Bun.which("node");
  if (path === null) throw new Error("the demo needs cc or node to have something that crashes");
  return {
    title: "a Node program that is sent SIGSEGV",
    path,
    crashing: [path, "-e", NODE_SCRIPT, "crash"],
    waiting: [path, "-e", NODE_SCRIPT],
  };
}

/** Runs the program to its crash. Killed after timeoutMs, then signalCode is SIGKILL. */
export async function crash(program: DemoProgram, timeoutMs = 60_000): Promise<DemoCrash> {
  const child = Bun.spawn(program.crashing, {
    stdio: ["ignore", "pipe", "ignore"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  await child.stdout.getReader().read();
  const readyMs = performance.now();
  await child.exited;
  return { signalCode: child.signalCode, heldMs: performance.now() - readyMs };
}
