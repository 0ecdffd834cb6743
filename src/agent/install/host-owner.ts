// HOST_DIR/owner.json names the DaemonSet that HOST_DIR belongs to. Two releases with the same folders would overwrite
// each other's install, and the uninstall of one would remove the other's composer. So the first one keeps the
// folders, and the second names the owner in an error and installs nothing. Outside Kubernetes HOST_DIR has no owner.
import { stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { exists, readTextFile, removeFile, writeFileAtomically } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { renameUnlessTaken } from "../../host/publication.ts";
import { AppError, errnoOf } from "../../model/app-error.ts";
import { OWNER_RECORD } from "../../model/host-file.ts";

/** The settings that name the owner. */
export type OwnerSettings = Pick<AgentSettings, "HOST_DIR" | "POD_NAMESPACE" | "DAEMONSET_NAME">;

/**
 * How long an owner counts as alive after its agent was last seen, in ms. An agent renews its claim every 15 seconds;
 * one that crashes again and again starts every five minutes (the kubelet's longest backoff).
 */
export const OWNER_SILENT_MAX_MS = 10 * 60_000;

/** A living agent was last seen at most so many ms ago. */
export const OWNER_SEEN_MS = 20_000;

/** How long the folders wait for the same DaemonSet's next pod, in ms. */
const NEXT_POD_MS = 60_000;

const ownerSchema = v.object({ namespace: v.string(), daemonset: v.string() });
type Owner = v.InferOutput<typeof ownerSchema>;

/**
 * Returns "namespace/name" of the DaemonSet that HOST_DIR belongs to, where that is another one than this agent's; else
 * undefined.
 */
export async function otherOwner(settings: OwnerSettings): Promise<string | undefined> {
  if (settings.DAEMONSET_NAME === "") return undefined;
  const owner = await readOwner(settings.HOST_DIR);
  if (owner === undefined || isOurs(owner, settings)) return undefined;
  return `${owner.namespace}/${owner.daemonset}`;
}

/**
 * Claims HOST_DIR for this agent's DaemonSet. Throws AppError "host" where another one's agent was seen there in the
 * last ten minutes. Returns a function that drops the claim on a HOST_DIR that had no owner before.
 */
export async function claimHostDirectory(
  settings: OwnerSettings,
  log: Log,
): Promise<() => Promise<void>> {
  const { HOST_DIR, POD_NAMESPACE, DAEMONSET_NAME } = settings;
  const path = join(HOST_DIR, OWNER_RECORD);
  const keep = async () => {};
  // The install explains a missing HOST_DIR.
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

/** Returns for how many ms no agent of the owner was seen; Infinity where HOST_DIR has no owner. */
export async function agentSilence({ HOST_DIR }: Pick<OwnerSettings, "HOST_DIR">): Promise<number> {
  try {
    return Date.now() - (await stat(join(HOST_DIR, OWNER_RECORD))).mtimeMs;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return Infinity;
    throw error;
  }
}

/**
 * Records that the owner's agent lives. Does nothing where there is no record, or HOST_DIR belongs to another
 * DaemonSet.
 */
export async function renewClaim(settings: OwnerSettings): Promise<void> {
  await dateClaim(settings, Date.now());
}

/**
 * Shortens the claim at the agent's end: its next pod renews it within a minute, or a DaemonSet of another name may
 * take over.
 */
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

/** Creates the record; returns false where there is one, so that of two agents that start at once one is first. */
async function makeRecord(hostDir: string, text: string): Promise<boolean> {
  // Has the name of a killed write's file, so that the same clean-up removes it.
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

/** Reads the record; undefined also for one that cannot be parsed, which is then written again. */
async function readOwner(hostDir: string): Promise<Owner | undefined> {
  const text = await readTextFile(join(hostDir, OWNER_RECORD));
  if (text === undefined) return undefined;
  try {
    return v.parse(ownerSchema, JSON.parse(text));
  } catch {
    return undefined;
  }
}
