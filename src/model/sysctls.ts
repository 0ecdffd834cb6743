// The three kernel settings that the agent owns while it is installed, a fourth that it changes only where
// SOCKET_SEND_BUFFER is set, and the files that keep their old values. Source: core(5),
// Documentation/admin-guide/sysctl/{kernel,fs,net}.rst.

/** One kernel setting. */
export interface Sysctl {
  /** The name as sysctl(8) prints it. */
  name: string;
  /** The setting's path below /proc/sys. */
  path: string;
  /** The file in HOST_DIR that keeps the previous value. */
  backup: string;
}

/** How the kernel hands over cores. */
export const CORE_PATTERN: Sysctl = {
  name: "kernel.core_pattern",
  path: "kernel/core_pattern",
  backup: "core_pattern.bak",
};

/** How many cores the kernel pipes at once, and whether it waits for the composer. */
export const CORE_PIPE_LIMIT: Sysctl = {
  name: "kernel.core_pipe_limit",
  path: "kernel/core_pipe_limit",
  backup: "core_pipe_limit.bak",
};

/** Whether the kernel dumps processes that changed their credentials. */
export const SUID_DUMPABLE: Sysctl = {
  name: "fs.suid_dumpable",
  path: "fs/suid_dumpable",
  backup: "suid_dumpable.bak",
};

/** The default send buffer of every new socket, in bytes (src/agent/capture/send-buffer.ts). */
export const SOCKET_BUFFER: Sysctl = {
  name: "net.core.wmem_default",
  path: "net/core/wmem_default",
  backup: "wmem_default.bak",
};
