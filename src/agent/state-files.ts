// The files that agent and composer keep in HOST_DIR while they work; `remove` deletes them all.

/** Written by the composer, followed by the agent; the second is its predecessor after a rotation. */
export const COMPOSER_LOG = "composer.log";
export const COMPOSER_LOG_ROTATED = "composer.log.1";

export const STATE_FILES = [COMPOSER_LOG, COMPOSER_LOG_ROTATED] as const;
