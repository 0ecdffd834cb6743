// A composer of its own for each core file: our own executable, with the file as stdin. What it says goes to
// composer.log as ever.
import { EXIT } from "../../model/app-error.ts";
import type { JsonObject } from "../../model/json.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { FoundCore } from "./found-core.ts";
import type { Owner } from "./owner.ts";

export interface ComposingContext {
  settings: Pick<AgentSettings, "HOST_DIR" | "NODE_NAME"> & {
    composer: Pick<AgentSettings["composer"], "TIMEOUT">;
  };
  executable: string;
}

export type Composed =
  /** Its zip is published, or the owner's rules leave it out: the original is not needed any more. */
  { kind: "done" } | { kind: "failed"; why: string };

/** The composer ends by itself at TIMEOUT; one that does not hangs. */
const GRACE_MS = 60_000;
/** execve(2): one argument has 128 KiB at most. */
const KNOWN_MAX_BYTES = 64 * 1024;

/** Zips one core. `input` is read from its beginning; the caller closes it. Never throws. */
export async function composeCore(
  { settings, executable }: ComposingContext,
  { facts }: FoundCore,
  input: number,
  owner: Owner,
): Promise<Composed> {
  const argv = [
    executable,
    "composer",
    `--host-dir=${settings.HOST_DIR}`,
    "--source=file",
    ...(settings.NODE_NAME === "" ? [] : [`--node=${settings.NODE_NAME}`]),
    ...(owner.container === undefined ? [] : [`--container=${owner.container.id}`]),
    ...(owner.pod === null ? [] : [`--known=${knownOf(owner)}`]),
    ...facts.flags,
  ];
  try {
    const child = Bun.spawn(argv, {
      cwd: "/",
      env: {},
      stdio: [input, "ignore", "pipe"],
      timeout: settings.composer.TIMEOUT * 1000 + GRACE_MS,
      killSignal: "SIGKILL",
    });
    const said = await new Response(child.stderr).text();
    await child.exited;
    const { exitCode, signalCode } = child;
    if (exitCode === EXIT.done || exitCode === EXIT.deadline) return { kind: "done" };
    return { kind: "failed", why: said.trim() || `ended by ${signalCode ?? `code ${exitCode}`}` };
  } catch (error) {
    return { kind: "failed", why: String(error) };
  }
}

/** Pod and container for a composer that comes after their end; annotations may be long, and are left out first. */
function knownOf({ pod, container }: Owner): string {
  const whole = JSON.stringify({ pod, container: container?.container ?? null });
  if (Buffer.byteLength(whole) <= KNOWN_MAX_BYTES) return whole;
  const short = (message: JsonObject | null) =>
    message === null ? null : { ...message, annotations: {} };
  return JSON.stringify({ pod: short(pod), container: short(container?.container ?? null) });
}
