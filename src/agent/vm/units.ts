// The systemd units of a plain host, as text: one that sets the kernel up early at every boot, and the agent.
// Hardened as far as the job allows (systemd.exec(5)); what stays open is what a crash needs. Pure.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";

export const EARLY_UNIT = "core-dump-handler-early.service";
export const AGENT_UNIT = "core-dump-handler.service";

export interface UnitPlan {
  /** The installed executable. */
  program: string;
  settings: Pick<AgentSettings, "HOST_DIR" | "CORE_DIR" | "EVENT_DIR" | "STORE_URL">;
  /** How cores come on this host. */
  mode: CaptureMode;
}

/** By their file names. */
export function planUnits(plan: UnitPlan): Record<string, string> {
  return { [EARLY_UNIT]: earlyUnit(plan), [AGENT_UNIT]: agentUnit(plan) };
}

/**
 * core_pattern is lost at every boot, and systemd-sysctl may set another tool's (50-coredump.conf): after it, and
 * before whatever may crash.
 */
function earlyUnit({ program, settings, mode }: UnitPlan): string {
  return `# Written by core-dump-handler install; core-dump-handler remove deletes it.
[Unit]
Description=Core dumps: let the kernel start the composer
Documentation=https://github.com/IBM/core-dump-handler
DefaultDependencies=no
After=local-fs.target systemd-sysctl.service
Before=sysinit.target shutdown.target
Conflicts=shutdown.target
RequiresMountsFor=${quoted(settings.HOST_DIR)} ${quoted(dirname(program))}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${quoted(program)} apply
TimeoutStartSec=60
${survivors(mode)}${hardening(settings, mode)}
[Install]
WantedBy=sysinit.target
`;
}

function agentUnit({ program, settings, mode }: UnitPlan): string {
  return `# Written by core-dump-handler install; core-dump-handler remove deletes it.
[Unit]
Description=Core dumps: deliver them to the store
Documentation=https://github.com/IBM/core-dump-handler
Wants=network-online.target
After=network-online.target ${EARLY_UNIT} apport.service
RequiresMountsFor=${quoted(settings.HOST_DIR)} ${quoted(dirname(program))}

[Service]
Type=simple
ExecStart=${quoted(program)} agent
Restart=always
RestartSec=5
${survivors(mode)}${hardening(settings, mode)}
[Install]
WantedBy=multi-user.target
`;
}

/** The listener that the agent has started, and its composers, outlive it (systemd.kill(5)); `remove` ends it. */
function survivors(mode: CaptureMode): string {
  return mode === "pipe" ? "" : "KillMode=process\n";
}

/**
 * Open on purpose: /proc/sys (ProtectKernelTunables), the kernel's log (ProtectKernelLogs), write-and-execute
 * memory, which Bun's compiler needs (MemoryDenyWriteExecute). With a pipe the composer is started by the kernel,
 * outside all of this. By socket it is ours: the host's mount namespace is where the socket's path counts, the
 * crashed process's UTS namespace has its host name, /proc of others takes ptrace's right, and one that the kernel
 * would hold for hours is killed. Files are collected
 * wherever a container has its root.
 */
function hardening(settings: UnitPlan["settings"], mode: CaptureMode): string {
  const folders = writableFolders(settings);
  const inTmp = folders.some((folder) => /^\/(var\/)?tmp(\/|$)/.test(folder));
  const capabilities = [...CAPABILITIES, ...CAPTURE_CAPABILITIES[mode]];
  const walls = [
    "ProtectSystem=strict",
    ...folders.map((folder) => `ReadWritePaths=${quoted(`-${folder}`)}`),
    "ProtectHome=read-only",
    ...(inTmp ? [] : ["PrivateTmp=yes"]),
  ];
  return [
    "NoNewPrivileges=yes",
    ...(mode === "file" ? [] : walls),
    "DevicePolicy=closed",
    "DeviceAllow=/dev/kmsg r",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    ...(mode === "socket" ? [] : ["ProtectHostname=yes"]),
    "ProtectKernelModules=yes",
    "LockPersonality=yes",
    mode === "socket" ? "RestrictNamespaces=mnt uts" : "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
    `CapabilityBoundingSet=${capabilities.join(" ")}`,
    "UMask=0077",
    "",
  ].join("\n");
}

const CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_SYSLOG",
];
/** kill(2), setns(2) and proc(5); for files of others F_SETLEASE (fcntl(2)). */
const CAPTURE_CAPABILITIES = {
  pipe: [],
  socket: ["CAP_KILL", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE"],
  file: ["CAP_LEASE"],
};

/** What the agent writes to; parents, so that a folder may be made anew. */
function writableFolders({
  HOST_DIR,
  CORE_DIR,
  EVENT_DIR,
  STORE_URL,
}: UnitPlan["settings"]): string[] {
  const store = STORE_URL === "" ? [] : [fileURLToPath(STORE_URL)];
  return [...new Set([HOST_DIR, CORE_DIR, EVENT_DIR, ...store])];
}

/** systemd.syntax(7): quotes keep blanks; % begins a specifier. */
function quoted(text: string): string {
  const escaped = text.replaceAll("%", "%%");
  return /[\s"'\\]/.test(escaped) ? `"${escaped.replace(/["\\]/g, "\\$&")}"` : escaped;
}
