// A composer of its own for each core file: our own executable, with the file as stdin. What it says goes to
// composer.log as ever.
import { EXIT } from "../../model/app-error.ts";
import type { CoreFileName } from "../../model/core-file-pattern.ts";
import { textAt, type JsonObject } from "../../model/json.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { ContainerRecord } from "./containers.ts";
import type { FoundCore } from "./found-core.ts";

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
/** From a crash (%t) to the runtime's word that the container has ended: the dump lies in between. */
const SAME_TIME_MS = 30_000;

/** Zips one core. `input` is read from its beginning; the caller closes it. Never throws. */
export async function composeCore(
  { settings, executable }: ComposingContext,
  { facts, owners }: FoundCore,
  input: number,
): Promise<Composed> {
  const owner = chooseOwner(facts, owners);
  const argv = [
    executable,
    "composer",
    `--host-dir=${settings.HOST_DIR}`,
    "--source=file",
    ...(settings.NODE_NAME === "" ? [] : [`--node=${settings.NODE_NAME}`]),
    ...(owner === undefined ? [] : [`--container=${owner.id}`]),
    ...(owners.length === 0 ? [] : [`--known=${knownOf(owner, owners)}`]),
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

/**
 * Which of the containers that share the directory has crashed: with several, the one whose first process ended by
 * this signal at that time, if the core is a first process's. undefined where that does not tell.
 */
export function chooseOwner(
  { pid, signal, timestampSeconds }: CoreFileName,
  owners: readonly ContainerRecord[],
): ContainerRecord | undefined {
  if (owners.length === 1) return owners[0];
  const ended = owners.filter(
    ({ exit }) =>
      pid === 1 &&
      exit?.exitCode === 128 + signal &&
      Math.abs(exit.finishedMs - timestampSeconds * 1000) < SAME_TIME_MS,
  );
  return ended.length === 1 ? ended[0] : undefined;
}

/** Pod and container for a composer that comes after their end; annotations may be long, and are left out first. */
function knownOf(owner: ContainerRecord | undefined, owners: readonly ContainerRecord[]): string {
  const pods = owners.map((record) => record.pod);
  const samePod = pods.every((pod) => textAt(pod, "id") === textAt(pods[0], "id"));
  const pod = owner?.pod ?? (samePod ? (pods[0] ?? null) : null);
  const container = owner?.container ?? null;
  const whole = JSON.stringify({ pod, container });
  if (Buffer.byteLength(whole) <= KNOWN_MAX_BYTES) return whole;
  const short = (message: JsonObject | null) =>
    message === null ? null : { ...message, annotations: {} };
  return JSON.stringify({ pod: short(pod), container: short(container) });
}
