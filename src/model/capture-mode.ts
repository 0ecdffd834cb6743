// The three ways in which the kernel can hand over a core (core(5)). Pure.

/**
 * pipe: it starts our program on the host. socket: it connects to our listener (Linux 6.16). file: it writes
 * into the crashing container's own file system, and the agent collects.
 */
export const CAPTURE_MODES = ["pipe", "socket", "file"] as const;

export type CaptureMode = (typeof CAPTURE_MODES)[number];
