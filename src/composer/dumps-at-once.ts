// Limits how many dumps of one namespace are under way at a time (DUMPS_AT_ONCE). Processes built to take long to dump
// would otherwise take every place that CORE_PIPE_LIMIT has, and the kernel would drop all other crashes. A composer's
// place is the lock on one byte of a file in HOST_DIR, so that the place becomes free however the composer ends.
import { createHash } from "node:crypto";
import { constants, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ComposerSettings } from "../config/composer-settings.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import { tryLockByte } from "../host/range-lock.ts";
import { describeError } from "../model/app-error.ts";
import type { CrashContext } from "../model/crash-context.ts";
import { HOST_OWNER, UNKNOWN_OWNER, namespaceOwner } from "../model/dump-owner.ts";
import { DUMPS_AT_ONCE_LOCK } from "../model/host-file.ts";
import { CORE_PIPE_LIMIT } from "../model/sysctls.ts";
import type { Metadata } from "./metadata/metadata.ts";

/** What the limit needs to know. */
export interface DumpsAtOnceContext {
  crash: Pick<CrashContext, "uid">;
  settings: Pick<ComposerSettings, "DUMPS_AT_ONCE">;
  hostDir: string;
  log: ComposerLog;
}

/** How many bytes of the file one namespace has: more than any limit. */
const STRIDE = 2n ** 16n;
const PROC_DIR = "/proc";

/**
 * Returns the metadata unchanged, or with the verdict "skip" where the namespace has all its dumps under way. Never
 * throws.
 */
export async function limitDumpsAtOnce(
  metadata: Metadata,
  { crash, settings, hostDir, log }: DumpsAtOnceContext,
): Promise<Metadata> {
  if (settings.DUMPS_AT_ONCE === 0 || metadata.verdict.kind === "skip") return metadata;
  const { namespace = null, podname = null } = metadata.facts;
  try {
    const limit = withinPipeLimit(settings.DUMPS_AT_ONCE, await readPipeLimit());
    if (takePlace(hostDir, tenantOf(metadata, crash), limit)) return metadata;
    const fields = { namespace, podname, by: "at_once", limit };
    log.milestone("warn", "dump_suppressed", fields);
    const reason = `${limit} dumps of its namespace are under way`;
    return { ...metadata, verdict: { kind: "skip", reason } };
  } catch (error) {
    log.milestone("warn", "dumps_at_once_unknown", { error: describeError(error) });
    return metadata;
  }
}

/**
 * Returns the limit, or half of the kernel's pipeLimit where that is less, so that one namespace leaves half of the
 * places to others. A pipeLimit of 0 means that the kernel has no limit.
 */
export function withinPipeLimit(limit: number, pipeLimit: number): number {
  return pipeLimit === 0 ? limit : Math.max(1, Math.min(limit, Math.floor(pipeLimit / 2)));
}

async function readPipeLimit(): Promise<number> {
  return Number(await readFile(join(PROC_DIR, "sys", CORE_PIPE_LIMIT.path), "utf8")) || 0;
}

/**
 * Returns who shares the places: a namespace; a pod or container, by its cgroup, whose namespace is unknown; a user,
 * for processes outside containers.
 */
export function tenantOf({ facts }: Metadata, { uid }: Pick<CrashContext, "uid">): string {
  const owner = namespaceOwner(facts);
  if (owner === HOST_OWNER) return `${owner} ${uid}`;
  if (owner !== UNKNOWN_OWNER) return owner;
  return `${owner} ${facts.pod_uid ?? facts.container_id ?? ""}`;
}

/**
 * Takes a place until this process ends. Returns false where all are taken. Throws where HOST_DIR cannot be written.
 */
export function takePlace(hostDir: string, tenant: string, limit: number): boolean {
  const path = join(hostDir, DUMPS_AT_ONCE_LOCK);
  // Stays open, because a close would end the lock.
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  const start = startOf(tenant);
  for (let place = 0; place < limit; place++)
    if (tryLockByte(fd, start + BigInt(place))) return true;
  return false;
}

/** Returns where the tenant's bytes begin. Two tenants share bytes by chance once in 2^46. */
function startOf(tenant: string): bigint {
  const hash = createHash("sha256").update(tenant).digest().readBigUInt64BE();
  return (hash >> 18n) * STRIDE;
}
