// Parses the composer's command line (src/model/composer-flags.ts), in which the kernel has filled in the %
// specifiers. Parsing never fails: a flag that is unknown, doubled or wrong becomes a complaint.
import { TIMEOUT_MAX_SECONDS } from "../config/composer-settings.ts";
import { COMPOSER_FLAGS, flagOf, type FlagName } from "../model/composer-flags.ts";
import type { CrashContext } from "../model/crash-context.ts";

/** JavaScript's last day, in the year 275760. */
const TIMESTAMP_MAX_SECONDS = 8_640_000_000_000;
const NO = /^(false|0|no|off)$/i;

/** The parsed command line. */
export interface ComposerCommandLine {
  crash: CrashContext;
  /** -d, where given; CORE_DIR in HOST_DIR/.env wins over it. */
  coreDir: string | undefined;
  timeoutSeconds: number | undefined;
  disableCompression: boolean;
  complaints: string[];
}

/** Parses the arguments; nowSeconds replaces a missing timestamp. Never throws. */
export function parseCommandLine(args: readonly string[], nowSeconds: number): ComposerCommandLine {
  const complaints: string[] = [];
  const given = collectFlags(args, complaints);
  const number = (name: FlagName, max = Number.MAX_SAFE_INTEGER): number | null => {
    const text = given.get(name);
    if (text === undefined || text === "") return null;
    if (/^\d{1,16}$/.test(text) && Number(text) <= max) return Number(text);
    complaints.push(`--${name} ${JSON.stringify(text.slice(0, 200))} is no number up to ${max}`);
    return null;
  };
  const crash: CrashContext = {
    hostPid: number("host-pid"),
    hostTid: number("host-tid"),
    pid: number("pid"),
    signal: number("signal"),
    timestampSeconds: number("timestamp", TIMESTAMP_MAX_SECONDS) ?? nowSeconds,
    limitSize: given.get("limit-size") ?? "",
    uid: number("uid"),
    gid: number("gid"),
    dumpable: number("dumpable"),
    pidfd: number("pidfd"),
    hostname: given.get("hostname") ?? "",
    exeName: given.get("exe-name") ?? "",
    pathname: given.get("pathname") ?? "",
  };
  const disable = given.get("disable-compression");
  return {
    crash,
    coreDir: given.get("dir"),
    timeoutSeconds: number("timeout", TIMEOUT_MAX_SECONDS) || undefined,
    disableCompression: disable !== undefined && !NO.test(disable),
    complaints,
  };
}

/**
 * Returns the first value of each flag. Before Linux 5.3 a process name with blanks becomes several arguments. This
 * program's pattern has the process's own values last, so the first value of a flag is the kernel's. In a pattern of
 * another order (the ancestor's) a flag that comes twice after such a name is not trusted at all.
 */
function collectFlags(args: readonly string[], complaints: string[]): Map<FlagName, string> {
  const given = new Map<FlagName, string>();
  const doubtful = new Set<FlagName>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const match = /^(?:-([A-Za-z])|--([a-z-]+))(?:=(.*))?$/s.exec(arg);
    const name = flagOf(match?.[1] ?? match?.[2] ?? "");
    if (match === null || name === undefined) {
      complaints.push(`unknown argument ${JSON.stringify(arg.slice(0, 200))}`);
      continue;
    }
    const value = match[3] ?? (name === "disable-compression" ? "" : (rest.shift() ?? ""));
    if (!given.has(name)) {
      if (!isItsOwn(name) && [...given.keys()].some(isItsOwn)) doubtful.add(name);
      given.set(name, value);
    } else if (given.get(name) !== value) {
      if (doubtful.has(name)) given.set(name, "");
      complaints.push(`--${name} given twice, ${JSON.stringify(value.slice(0, 200))} ignored`);
    }
  }
  return given;
}

/** Returns whether the crashing process may choose the flag's value. */
function isItsOwn(name: FlagName): boolean {
  return "itsOwn" in COMPOSER_FLAGS[name];
}
