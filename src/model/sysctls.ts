// The three kernel settings that the agent owns while it is installed, one that it changes where it is asked to, and
// where their old values rest. Source: core(5), Documentation/admin-guide/sysctl/{kernel,fs,net}.rst.

export interface Sysctl {
  /** The name as sysctl(8) prints it. */
  name: string;
  /** Below /proc/sys. */
  path: string;
  /** The previous value's file, in HOST_DIR. */
  backup: string;
}

export const CORE_PATTERN: Sysctl = {
  name: "kernel.core_pattern",
  path: "kernel/core_pattern",
  backup: "core_pattern.bak",
};

export const CORE_PIPE_LIMIT: Sysctl = {
  name: "kernel.core_pipe_limit",
  path: "kernel/core_pipe_limit",
  backup: "core_pipe_limit.bak",
};

export const SUID_DUMPABLE: Sysctl = {
  name: "fs.suid_dumpable",
  path: "fs/suid_dumpable",
  backup: "suid_dumpable.bak",
};

/** How much every new socket may have on its way that asks for nothing else, in bytes (capture/send-buffer.ts). */
export const SOCKET_BUFFER: Sysctl = {
  name: "net.core.wmem_default",
  path: "net/core/wmem_default",
  backup: "wmem_default.bak",
};
