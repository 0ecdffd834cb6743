// The first lines of `info`: when, what, who and where, each with a label and no word that only this program knows.
import { hostname } from "node:os";
import { readFileSync } from "node:fs";
import type { KnownInfo } from "../model/dump-info.ts";
import { formatAge } from "../model/time-text.ts";

/** What the lines are made of. */
export interface InfoFacts {
  info: KnownInfo;
  /** The command line from the core's notes; null where it is not known, or not to be shown. */
  command: string | null;
  nowMs: number;
  /** Returns a user's name on this machine. */
  userName?: (uid: number) => string | undefined;
}

const LABEL_COLUMNS = 12;

/** Writes a line as `info` has it. */
export function labelled(label: string, text: string): string {
  return `${label.padEnd(LABEL_COLUMNS)}${text}`;
}

/** Returns the lines; one that has nothing to say is left out. */
export function whoLines({ info, command, nowMs, userName = localUser }: InfoFacts): string[] {
  const lines: readonly [label: string, text: string][] = [
    ["time", timeText(info, nowMs)],
    ["signal", joined([info.signal_name ?? "", parenthesised(info.signal)])],
    ["program", joined([info.exe, parenthesised(info.exe_path ?? undefined)])],
    ["command", command ?? ""],
    ["pid", pidText(info)],
    ["user", userText(info, userName)],
    ["node", info.node_hostname ?? ""],
    ["host name", info.hostname ?? ""],
    ["pod", joined([info.namespace, info.podname, info.pod_uid])],
    // A guess by the host name, which the pod may have chosen.
    ["perhaps pod", joined([info.guessed_namespace, info.guessed_podname, info.guessed_pod_uid])],
    ["container", containerText(info)],
    ["image", info.image ?? ""],
    ["cgroup", info.podname ? "" : (info.cgroup ?? "")],
  ];
  return lines.flatMap(([label, text]) => (text === "" ? [] : [labelled(label, text)]));
}

function joined(parts: readonly (string | null | undefined)[]): string {
  return parts.filter((part) => part !== null && part !== undefined && part !== "").join("  ");
}

function parenthesised(text: string | undefined): string {
  return text === undefined || text === "" ? "" : `(${text})`;
}

function timeText({ timestamp }: KnownInfo, nowMs: number): string {
  const ms = Number(timestamp) * 1000;
  if (!(ms > 0 && ms < 8e15)) return timestamp ?? "";
  const time = new Date(ms).toISOString().replace(".000Z", "Z");
  return nowMs < ms ? time : `${time}  (${formatAge(nowMs - ms)} ago)`;
}

function pidText({ real_pid: own = "", host_pid: host }: KnownInfo): string {
  if (host === null || host === undefined || String(host) === own) return own;
  return own === "" ? `${host} on the node` : `${own} in its container, ${host} on the node`;
}

function userText(
  { uid, gid, identity, node_hostname: node }: KnownInfo,
  nameOf: NonNullable<InfoFacts["userName"]>,
): string {
  if (uid === null || uid === undefined) return "";
  // A container's users are its own; a name of this machine would be another person's.
  const isHere = identity === "host_process" && node === hostname();
  const name = isHere ? nameOf(uid) : undefined;
  const group = gid === null || gid === undefined ? "" : `, group ${gid}`;
  return `${uid}${name === undefined ? "" : ` (${name})`}${group}`;
}

function containerText(info: KnownInfo): string {
  const { container_name: name, container_id: id, restart_count: restarts } = info;
  const known = joined([name, id]);
  if (known === "")
    return info.identity === "host_process" ? "none: a process of the node itself" : "";
  const count = restarts ?? 0;
  return count === 0 ? known : `${known}  (restarted ${count === 1 ? "once" : `${count} times`})`;
}

function localUser(uid: number): string | undefined {
  try {
    const lines = readFileSync("/etc/passwd", "utf8").split("\n");
    return lines.map((line) => line.split(":")).find((fields) => fields[2] === String(uid))?.[0];
  } catch {
    return undefined;
  }
}
