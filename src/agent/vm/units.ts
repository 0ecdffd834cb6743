// The systemd units of a plain host, as text: one that sets the kernel up early at every boot, and the agent. They are
// hardened (systemd.exec(5)) except for what a crash needs. Pure.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";

/** The unit that sets the kernel up at boot. */
export const EARLY_UNIT = "core-dump-handler-early.service";
/** The agent's unit. */
export const AGENT_UNIT = "core-dump-handler.service";

/** What the units depend on. */
export interface UnitPlan {
  /** The installed executable. */
  program: string;
  settings: Pick<AgentSettings, "HOST_DIR" | "CORE_DIR" | "EVENT_DIR" | "STORE_URL">;
  /** The host's capture mode. */
  mode: CaptureMode;
}

/** Returns the units' texts by their file names. */
export function planUnits(plan: UnitPlan): Record<string, string> {
  return { [EARLY_UNIT]: earlyUnit(plan), [AGENT_UNIT]: agentUnit(plan) };
}

/**
 * Makes the early unit. core_pattern is lost at every boot, and systemd-sysctl may set another tool's
 * (50-coredump.conf), so the unit runs after that and before the services that may crash.
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

/**
 * Lets the listener that the agent started, and its composers, outlive the agent (systemd.kill(5)); `remove` ends them.
 */
function survivors(mode: CaptureMode): string {
  return mode === "pipe" ? "" : "KillMode=process\n";
}

/**
 * Makes the sandbox. Open on purpose are /proc/sys (ProtectKernelTunables), the kernel's log (ProtectKernelLogs) and
 * write-and-execute memory, which Bun's compiler needs (MemoryDenyWriteExecute). With a pipe the kernel starts the
 * composer outside the sandbox. By socket the composer runs inside: the socket's path counts in the host's mount
 * namespace, the host name is in the crashed process's UTS namespace, others' /proc needs the right to ptrace, and the
 * composer may kill a process that the kernel would hold for hours. The harvest reads files in every container's root.
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
/**
 * The capabilities for kill(2), setns(2) and proc(5), for setresuid(2) (the explainer becomes nobody), and for F_SETLEASE
 * on others' files (fcntl(2)).
 */
const CAPTURE_CAPABILITIES = {
  pipe: [],
  socket: [
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SYS_ADMIN",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
  ],
  file: ["CAP_LEASE", "CAP_SETGID", "CAP_SETUID"],
};

/** Returns the folders that the agent writes to; their parents, so that a folder can be made again. */
function writableFolders({
  HOST_DIR,
  CORE_DIR,
  EVENT_DIR,
  STORE_URL,
}: UnitPlan["settings"]): string[] {
  const store = STORE_URL.startsWith("file:") ? [fileURLToPath(STORE_URL)] : [];
  return [...new Set([HOST_DIR, CORE_DIR, EVENT_DIR, ...store])];
}

/** Quotes a value: quotes keep blanks, and % would begin a specifier (systemd.syntax(7)). */
function quoted(text: string): string {
  const escaped = text.replaceAll("%", "%%");
  return /[\s"'\\]/.test(escaped) ? `"${escaped.replace(/["\\]/g, "\\$&")}"` : escaped;
}
