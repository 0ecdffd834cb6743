// Checks that this process is root, and the host's root rather than a user namespace's.
import { readFile } from "node:fs/promises";
import { failed, ok, type CheckResult } from "./check.ts";

/** user_namespaces(7): the initial one maps everything to itself. */
const INITIAL_MAP = /^\s*0\s+0\s+4294967295\s*$/;

/** Checks the user and the user namespace. */
export async function checkRoot(): Promise<CheckResult> {
  const uid = process.geteuid?.() ?? -1;
  if (uid !== 0)
    return failed(
      `this is user ${uid}, and the kernel's settings are root's`,
      "run as root (sudo core-dump-handler doctor); in a pod, securityContext.runAsUser 0",
    );
  return judgeUserNamespace(await readFile("/proc/self/uid_map", "utf8"));
}

/** Judges `map`, the text of /proc/self/uid_map. */
export function judgeUserNamespace(map: string): CheckResult {
  if (INITIAL_MAP.test(map)) return ok("root on the host");
  return failed(
    "we are root only inside a user namespace",
    "run outside it: no rootless container, no hostUsers: false",
    `/proc/self/uid_map: ${map.trim()}`,
  );
}
