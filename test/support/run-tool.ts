// A helper program of a test, run to its end; its output is shown only when it fails.

/** Standard output. Throws with what the program said when it fails. */
export async function runTool(
  command: string[],
  options: { env?: Record<string, string> } = {},
): Promise<string> {
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (exitCode !== 0)
    throw new Error(`${command.join(" ")} ended with ${exitCode}:\n${stdout}${stderr}`);
  return stdout;
}
