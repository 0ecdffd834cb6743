// A composer of its own for each core file: our own executable, with the file as stdin. What it says goes to
// composer.log as ever.
import { closeSync } from "node:fs";
import { readBoundedText } from "../../host/bounded-stream.ts";
import { describeComposerEnd, recordBadEnd } from "../../host/lost-crash.ts";
import { openMemoryText } from "../../host/memory-file.ts";
import { EXIT } from "../../model/app-error.ts";
import { formatInvocation } from "../../model/composer-invocation.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { FoundCore } from "./found-core.ts";
import type { Owner } from "./owner.ts";

export interface ComposingContext {
  settings: Pick<AgentSettings, "HOST_DIR" | "CORE_DIR" | "NODE_NAME"> & {
    composer: Pick<AgentSettings["composer"], "TIMEOUT">;
  };
  executable: string;
}

export type Composed =
  /** Its zip is published, or the owner's rules leave it out: the original is not needed any more. */
  | { kind: "done" }
  /** The zip cannot hold all of it, for want of space or time; it is published only where `keepsCut` asked for that. */
  | { kind: "cut"; why: string }
  | { kind: "failed"; why: string };

/** The composer ends by itself at TIMEOUT; one that does not hangs. */
const GRACE_MS = 60_000;
/** The first descriptor after stdin, stdout and stderr. */
const KNOWN_FD = 3;
const STDERR_MAX_BYTES = 4096;

/**
 * Zips one core. `input` is read from its beginning; the caller closes it. With `keepsCut` a zip that cannot hold all
 * of the core is published, too. Never throws.
 */
export async function composeCore(
  { settings, executable }: ComposingContext,
  { facts }: FoundCore,
  input: number,
  owner: Owner,
  keepsCut: boolean,
): Promise<Composed> {
  const known = openKnown(owner);
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

/**
 * Pod and container for a composer that comes after their end, in a file that only it gets. undefined where nothing is
 * known, or the kernel gives no such file: the composer asks the runtime then.
 */
function openKnown({ pod, container }: Owner): number | undefined {
  if (pod === null) return undefined;
  try {
    const known = JSON.stringify({ pod, container: container?.container ?? null });
    return openMemoryText("cdh-known", known);
  } catch {
    return undefined;
  }
}
