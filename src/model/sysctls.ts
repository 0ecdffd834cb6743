// The three kernel settings that the agent owns while it is installed, and where their old values rest.
// Source: core(5), Documentation/admin-guide/sysctl/{kernel,fs}.rst.

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
