// The three ways in which the kernel can hand over a core (core(5)). Pure.

/**
 * pipe: the kernel starts the composer on the host. socket: the kernel connects to the listener (Linux 6.16). file: the
 * kernel writes the core into the crashing container's own file system, and the agent collects it.
 */
export const CAPTURE_MODES = ["pipe", "socket", "file"] as const;

/** One of CAPTURE_MODES. */
export type CaptureMode = (typeof CAPTURE_MODES)[number];
