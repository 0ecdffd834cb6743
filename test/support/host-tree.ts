// A host in a temporary folder: /proc/sys with the settings, a place for HOST_DIR, and executables
// that can stand for ours. Snapshots compare it before and after.
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAgentSettings, type AgentSettings } from "../../src/config/agent-settings.ts";
import { openLog, type Log } from "../../src/host/log.ts";

export interface HostTree {
  root: string;
  hostDir: string;
  /** What stands for the agent's executable: a copy of /bin/true in a folder of its own. */
  executable: string;
  log: Log;
  logLines: () => Record<string, unknown>[];
  settings: (environment?: Record<string, string>) => AgentSettings;
  sysctls: () => { pattern: string; pipeLimit: string; suidDumpable: string };
  socketBuffer: () => string;
  setSysctl: (name: keyof typeof SYSCTL_PATHS, value: string) => void;
  /** Every path with its kind, mode and content. */
  snapshot: () => Record<string, string>;
  remove: () => void;
}

export const ORIGINAL_PATTERN = "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h";

const SYSCTL_PATHS = {
  core_pattern: "proc/sys/kernel/core_pattern",
  core_pipe_limit: "proc/sys/kernel/core_pipe_limit",
  suid_dumpable: "proc/sys/fs/suid_dumpable",
  wmem_default: "proc/sys/net/core/wmem_default",
};

export function makeHostTree(): HostTree {
  const root = mkdtempSync(join(tmpdir(), "host-"));
  for (const folder of ["proc/sys/kernel", "proc/sys/fs", "proc/sys/net/core", "app", "host"])
    mkdirSync(join(root, folder), { recursive: true });
  const setSysctl: HostTree["setSysctl"] = (name, value) =>
    writeFileSync(join(root, SYSCTL_PATHS[name]), `${value}\n`);
  const read = (name: keyof typeof SYSCTL_PATHS) =>
    readFileSync(join(root, SYSCTL_PATHS[name]), "utf8").trimEnd();
  setSysctl("core_pattern", ORIGINAL_PATTERN);
  setSysctl("core_pipe_limit", "16");
  setSysctl("suid_dumpable", "1");
  setSysctl("wmem_default", "212992");
  const executable = join(root, "app/core-dump-handler");
  copyFileSync("/bin/true", executable);
  chmodSync(executable, 0o755);
  const hostDir = join(root, "host/cdh");
  const lines: string[] = [];
  return {
    root,
    hostDir,
    executable,
    log: openLog({ level: "Debug", format: "json", write: (line) => lines.push(line) }),
    logLines: () => lines.map((line): Record<string, unknown> => JSON.parse(line)),
    settings: (environment = {}) =>
      readAgentSettings({ HOST_DIR: hostDir, PROC_ROOT: join(root, "proc"), ...environment }),
    sysctls: () => ({
      pattern: read("core_pattern"),
      pipeLimit: read("core_pipe_limit"),
      suidDumpable: read("suid_dumpable"),
    }),
    socketBuffer: () => read("wmem_default"),
    setSysctl,
    snapshot: () => snapshotOf(root, ""),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function snapshotOf(root: string, path: string): Record<string, string> {
  const found = lstatSync(join(root, path));
  const mode = (found.mode & 0o7777).toString(8);
  if (found.isSymbolicLink()) return { [path]: `link to ${readlinkSync(join(root, path))}` };
  if (!found.isDirectory())
    return { [path]: `file ${mode} ${Bun.hash(readFileSync(join(root, path)))}` };
  const below = readdirSync(join(root, path)).map((name) => snapshotOf(root, join(path, name)));
  return Object.assign({ [path]: `directory ${mode}` }, ...below);
}
