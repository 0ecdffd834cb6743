// The files that agent and composer keep in HOST_DIR while they work; `remove` deletes them all.

/** Written by the composer, followed by the agent; the second is its predecessor after a rotation. */
export const COMPOSER_LOG = "composer.log";
export const COMPOSER_LOG_ROTATED = "composer.log.1";

/** How far the agent has followed composer.log. */
export const COMPOSER_LOG_POSITION = "composer.log.position";

/** The uid of the DaemonSet that runs us (uninstall.ts). */
export const DAEMONSET_NOTE = "daemonset.uid";

/** How far the kernel's log was read (kernel-log.ts). */
export const KERNEL_LOG_POSITION = "kernel-log.position";

export const STATE_FILES = [
  COMPOSER_LOG,
  COMPOSER_LOG_ROTATED,
  COMPOSER_LOG_POSITION,
  DAEMONSET_NOTE,
  KERNEL_LOG_POSITION,
] as const;
