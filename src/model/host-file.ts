// The files that composer and agent keep in HOST_DIR while they work, beside what the agent installs there.
// `remove` deletes them all.

/** The composers write it and the agent follows it. */
export const COMPOSER_LOG = "composer.log";
/** What composer.log is called after a rotation. */
export const COMPOSER_LOG_ROTATED = "composer.log.1";

/** How far the agent has followed composer.log. */
export const COMPOSER_LOG_POSITION = "composer.log.position";

/** How many dumps each workload left lately. */
export const CRASH_LOOP_STATE = "crash-loop.json";
/** The lock under which composers count in crash-loop.json. */
export const CRASH_LOOP_LOCK = "crash-loop.lock";

/** Which bugs left whole dumps lately (src/composer/known-bug-limit.ts), and the lock under which composers count. */
export const KNOWN_BUGS_STATE = "known-bugs.json";
export const KNOWN_BUGS_LOCK = "known-bugs.lock";

/** Each running composer locks a place in it; their number is limited by namespace (src/composer/dumps-at-once.ts). */
export const DUMPS_AT_ONCE_LOCK = "dumps-at-once.lock";

/** How many namespaces may copy modules at a time; each has its turn by a lock that it shares with few others. */
const MODULE_TURNS = 16;
const moduleTurns = Array.from({ length: MODULE_TURNS }, (_, turn) => `modules-${turn}.lock`);

/** The lock that is held while modules of this namespace are copied into CORE_DIR (src/composer/modules/). */
export function moduleTurnLock(namespace: string): string {
  let sum = 0;
  for (const character of namespace) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return `modules-${sum % MODULE_TURNS}.lock`;
}

/** The lock that a composer or the agent holds while it makes room in CORE_DIR. */
export const EVICTION_LOCK = "eviction.lock";

/** The lock that an install or a removal holds (src/agent/install/install-lock.ts); `remove` deletes it last. */
export const INSTALL_LOCK = "install.lock";

/** The uid of the DaemonSet that runs us (src/agent/kubernetes/uninstall.ts). */
export const DAEMONSET_NOTE = "daemonset.uid";

/** Which DaemonSet HOST_DIR belongs to (src/agent/install/host-owner.ts). */
export const OWNER_RECORD = "owner.json";

/** How far the kernel's log was read (src/host/kernel-log.ts). */
export const KERNEL_LOG_POSITION = "kernel-log.position";

/** Which containers' cores were taken or reported missing, in file capture (src/agent/harvest/). */
export const HARVEST_STATE = "harvest.json";

/** All of these files but the install's lock, for `remove`. */
export const HOST_STATE_FILES = [
  COMPOSER_LOG,
  COMPOSER_LOG_ROTATED,
  COMPOSER_LOG_POSITION,
  CRASH_LOOP_STATE,
  CRASH_LOOP_LOCK,
  KNOWN_BUGS_STATE,
  KNOWN_BUGS_LOCK,
  DUMPS_AT_ONCE_LOCK,
  EVICTION_LOCK,
  DAEMONSET_NOTE,
  OWNER_RECORD,
  KERNEL_LOG_POSITION,
  HARVEST_STATE,
  ...moduleTurns,
] as const;
