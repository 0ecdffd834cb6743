// Starts a composer for each core file: this executable, with the file as stdin. It records the crash in composer.log,
// as in the other capture modes.
import { closeSync } from "node:fs";
import { readBoundedText } from "../../host/bounded-stream.ts";
import { describeComposerEnd, recordBadEnd } from "../../host/lost-crash.ts";
import { openMemoryText } from "../../host/memory-file.ts";
import { EXIT } from "../../model/app-error.ts";
import { formatInvocation } from "../../model/composer-invocation.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { FoundCore } from "./found-core.ts";
import type { Owner } from "./owner.ts";

/** Where the composers run. */
export interface ComposingContext {
  settings: Pick<AgentSettings, "HOST_DIR" | "CORE_DIR" | "NODE_NAME" | "POD_NAME"> & {
    composer: Pick<AgentSettings["composer"], "TIMEOUT">;
  };
  executable: string;
}

/** What became of a core file. */
export type Composed =
  /** The composer published the zip, or the owner's rules leave it out; the original is no longer needed. */
  | { kind: "done" }
  /** Space or time did not suffice for the whole core; the composer published the zip only if `keepsCut` was set. */
  | { kind: "cut"; why: string }
  | { kind: "failed"; why: string };

/** A composer ends by itself at TIMEOUT; this many ms later it counts as hanging and is killed. */
const GRACE_MS = 60_000;
/** The first descriptor after stdin, stdout and stderr. */
const KNOWN_FD = 3;
const STDERR_MAX_BYTES = 4096;

/**
 * Zips one core. The composer reads `input` from its beginning; the caller closes it. With `keepsCut` it publishes even
 * a zip that does not hold the whole core. Never throws.
 */
export async function composeCore(
  { settings, executable }: ComposingContext,
  { facts }: FoundCore,
  input: number,
  owner: Owner,
  keepsCut: boolean,
): Promise<Composed> {
  const known = openKnown(owner, layersOf(owner, facts, settings.POD_NAME));
  const uuid = crypto.randomUUID();
  const argv = [
    executable,
    ...formatInvocation({
      hostDir: settings.HOST_DIR,
      uuid,
      source: {
        kind: "file",
        containerId: owner.container?.id ?? null,
        knownFd: known === undefined ? null : KNOWN_FD,
        keepsCut,
        nodeName: settings.NODE_NAME || null,
      },
      args: facts.flags,
    }),
  ];
  try {
    const child = Bun.spawn(argv, {
      cwd: "/",
      env: {},
      stdio: [input, "ignore", "pipe", ...(known === undefined ? [] : [known])],
      timeout: settings.composer.TIMEOUT * 1000 + GRACE_MS,
      killSignal: "SIGKILL",
    });
    const { text } = await readBoundedText(child.stderr, STDERR_MAX_BYTES, "end");
    await child.exited;
    const { exitCode, signalCode } = child;
    if (exitCode === EXIT.done || exitCode === EXIT.deadline) return { kind: "done" };
    if (exitCode === EXIT.cut) return { kind: "cut", why: "its zip cannot hold all of it" };
    const why = describeComposerEnd({ exitCode, signalCode }, text);
    const crash = { uuid, source: "file", exe: facts.exeName, hostPid: facts.hostPid } as const;
    await recordBadEnd(settings.HOST_DIR, settings.CORE_DIR, crash, why);
    return { kind: "failed", why };
  } catch (error) {
    return { kind: "failed", why: String(error) };
  } finally {
    if (known !== undefined) closeSync(known);
  }
}

/** A process outside of containers has the node's root, which an agent in a pod does not see. */
function layersOf(
  { container }: Owner,
  { pid, hostPid }: FoundCore["facts"],
  podName: string,
): readonly string[] {
  if (container !== undefined) return container.layers;
  return podName === "" && pid !== null && pid === hostPid ? ["/"] : [];
}

/**
 * Puts pod and container into a file that only the composer gets, because they may have ended before it starts.
 * undefined where nothing is known or the kernel cannot make such a file; the composer asks the runtime then.
 */
function openKnown({ pod, container }: Owner, layers: readonly string[]): number | undefined {
  if (pod === null && layers.length === 0) return undefined;
  try {
    const known = JSON.stringify({ pod, container: container?.container ?? null, layers });
    return openMemoryText("cdh-known", known);
  } catch {
    return undefined;
  }
}
