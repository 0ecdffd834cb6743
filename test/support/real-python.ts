// python3 may be a shell script that finds the real one.
import { findProgram } from "./gate.ts";

/** The path of the program that runs as python3. */
export async function realPython(): Promise<string> {
  const script = "import os, sys; print(os.path.realpath(sys.executable))";
  const child = Bun.spawn([findProgram("python3") ?? "python3", "-c", script]);
  return (await child.stdout.text()).trim();
}
