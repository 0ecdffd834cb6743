// HOST_DIR/owner.json: the DaemonSet that HOST_DIR belongs to. Two releases with the same folders would install over
// one another, and the uninstall of one would take the composer from under the other: the first one keeps them, the
// second says whose they are and installs nothing. Outside Kubernetes nobody owns it.
import { stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { exists, readTextFile, removeFile, writeFileAtomically } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { renameUnlessTaken } from "../../host/publication.ts";
import { AppError, errnoOf } from "../../model/app-error.ts";
import { OWNER_RECORD } from "../../model/host-file.ts";

export type OwnerSettings = Pick<AgentSettings, "HOST_DIR" | "POD_NAMESPACE" | "DAEMONSET_NAME">;

/**
 * How long an owner is believed to live after its agent was last seen. An agent looks in every 15 seconds; one that
 * crashes again and again is started every five minutes (the kubelet's longest back-off).
 */
export const OWNER_SILENT_MAX_MS = 10 * 60_000;

/** An agent that lives was seen since then. */
export const OWNER_SEEN_MS = 20_000;

/** How long the folders wait for the same DaemonSet's next pod. */
const NEXT_POD_MS = 60_000;

const ownerSchema = v.object({ namespace: v.string(), daemonset: v.string() });
type Owner = v.InferOutput<typeof ownerSchema>;

/** "namespace/name" of the DaemonSet that HOST_DIR belongs to, where that is another one than ours. */
export async function otherOwner(settings: OwnerSettings): Promise<string | undefined> {
  if (settings.DAEMONSET_NAME === "") return undefined;
  const owner = await readOwner(settings.HOST_DIR);
  if (owner === undefined || isOurs(owner, settings)) return undefined;
  return `${owner.namespace}/${owner.daemonset}`;
}

/**
 * Takes HOST_DIR for our DaemonSet, or throws AppError "host" while another one's agent was seen there in the last
 * ten minutes. What it returns gives a HOST_DIR back that was nobody's before.
 */
export async function claimHostDirectory(
  settings: OwnerSettings,
  log: Log,
): Promise<() => Promise<void>> {
  const { HOST_DIR, POD_NAMESPACE, DAEMONSET_NAME } = settings;
  const path = join(HOST_DIR, OWNER_RECORD);
  const keep = async () => {};
  // A HOST_DIR that is not there is for the install to explain.
  if (DAEMONSET_NAME === "" || !(await exists(HOST_DIR))) return keep;
  const text = `${JSON.stringify({ namespace: POD_NAMESPACE, daemonset: DAEMONSET_NAME })}\n`;
  if (await makeRecord(HOST_DIR, text)) return async () => void (await removeFile(path));
  const other = await otherOwner(settings);
  if (other !== undefined) {
    const silentMs = Date.now() - (await stat(path)).mtimeMs;
    const leftSeconds = Math.ceil((OWNER_SILENT_MAX_MS - silentMs) / 1000);
    if (leftSeconds > 0)
      throw new AppError("host", `HOST_DIR ${HOST_DIR} belongs to the DaemonSet ${other}`, {
        hint: `give one of the two releases folders of its own (daemonset.hostDirectory, coreDirectory, eventDirectory); if no agent of ${other} is seen here any more, it is passed over in ${leftSeconds} s`,
      });
    log.warn("host_dir_taken_over", { from: other, silent_s: Math.round(silentMs / 1000) });
  }
  await writeFileAtomically(path, text);
  return keep;
}

/** For how many milliseconds no agent of the owner was seen; for ever where nobody owns HOST_DIR. */
export async function agentSilence({ HOST_DIR }: Pick<OwnerSettings, "HOST_DIR">): Promise<number> {
  try {
    return Date.now() - (await stat(join(HOST_DIR, OWNER_RECORD))).mtimeMs;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return Infinity;
    throw error;
  }
}

/** Says that the owner's agent lives. Nothing where there is no record, or HOST_DIR is another's. */
export async function renewClaim(settings: OwnerSettings): Promise<void> {
  await dateClaim(settings, Date.now());
}

/** At the agent's end: its next pod comes within a minute, or a DaemonSet of another name takes over what is there. */
export async function lapseClaim(settings: OwnerSettings): Promise<void> {
  await dateClaim(settings, Date.now() - OWNER_SILENT_MAX_MS + NEXT_POD_MS);
}

async function dateClaim(settings: OwnerSettings, seenMs: number): Promise<void> {
  if (settings.DAEMONSET_NAME === "" || (await otherOwner(settings)) !== undefined) return;
  const seen = new Date(seenMs);
  try {
    await utimes(join(settings.HOST_DIR, OWNER_RECORD), seen, seen);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** False where there is one: of two that begin at once one is first. */
async function makeRecord(hostDir: string, text: string): Promise<boolean> {
  // Named as what a killed write leaves, so that it goes the same way.
  const mine = join(hostDir, `.${OWNER_RECORD}.${process.pid}.${Bun.nanoseconds()}.new`);
  try {
    await writeFileAtomically(mine, text);
    return await renameUnlessTaken(mine, join(hostDir, OWNER_RECORD));
  } finally {
    await removeFile(mine);
  }
}

function isOurs({ namespace, daemonset }: Owner, settings: OwnerSettings): boolean {
  return namespace === settings.POD_NAMESPACE && daemonset === settings.DAEMONSET_NAME;
}

/** undefined also for one that cannot be understood: it is written anew. */
async function readOwner(hostDir: string): Promise<Owner | undefined> {
  const text = await readTextFile(join(hostDir, OWNER_RECORD));
  if (text === undefined) return undefined;
  try {
    return v.parse(ownerSchema, JSON.parse(text));
  } catch {
    return undefined;
  }
}
