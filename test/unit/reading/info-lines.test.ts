// The lines of `info` that say when, what, who and where.
import { hostname } from "node:os";
import { expect, test } from "bun:test";
import { whoLines } from "../../../src/reading/info-lines.ts";
import type { KnownInfo } from "../../../src/model/dump-info.ts";

const CRASH_MS = 1_700_000_000_000;

function line(label: string, info: KnownInfo, command: string | null = null): string | undefined {
  const userName = (uid: number) => (uid === 1000 ? "alice" : undefined);
  return whoLines({ info, command, nowMs: CRASH_MS + 3 * 3_600_000, userName })
    .find((each) => each.startsWith(`${label} `))
    ?.slice(12);
}

test("the time has its age", () => {
  expect(line("time", { timestamp: "1700000000" })).toBe("2023-11-14T22:13:20Z  (3 h ago)");
  expect(line("time", { timestamp: "1800000000" })).toBe("2027-01-15T08:00:00Z");
  expect(line("time", { timestamp: "soon" })).toBe("soon");
});

test("pids say where they count", () => {
  expect(line("pid", { real_pid: "1", host_pid: 4711 })).toBe(
    "1 in its container, 4711 on the node",
  );
  expect(line("pid", { real_pid: "4711", host_pid: 4711 })).toBe("4711");
  expect(line("pid", { real_pid: "1", host_pid: null })).toBe("1");
});

test("a user has a name only where it is this machine's", () => {
  const here = {
    uid: 1000,
    gid: 100,
    identity: "host_process",
    node_hostname: hostname(),
  } as const;
  expect(line("user", here)).toBe("1000 (alice), group 100");
  expect(line("user", { ...here, node_hostname: "other" })).toBe("1000, group 100");
  expect(line("user", { ...here, identity: "cgroup" })).toBe("1000, group 100");
});

test("a process of the node says so, with its cgroup; a pod's has none of this program's words", () => {
  const unit = { identity: "host_process", cgroup: "/system.slice/cron.service" } as const;
  expect(line("container", unit)).toBe("none: a process of the node itself");
  expect(line("cgroup", unit)).toBe("/system.slice/cron.service");
  const pod = {
    identity: "cgroup",
    namespace: "shop",
    podname: "cart-0",
    cgroup: "/kubepods/x",
  } as const;
  expect(line("pod", pod)).toBe("shop  cart-0");
  expect(line("cgroup", pod)).toBeUndefined();
});

test("restarts are counted in words", () => {
  const of = (restart_count: number | null) =>
    line("container", { container_name: "main", restart_count });
  expect([of(null), of(0), of(1), of(7)]).toEqual([
    "main",
    "main",
    "main  (restarted once)",
    "main  (restarted 7 times)",
  ]);
});

test("the command line is there where it is known", () => {
  expect(line("command", {}, "app --serve")).toBe("app --serve");
  expect(line("command", {})).toBeUndefined();
});
