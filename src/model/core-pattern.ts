// Makes the core_pattern that hands crashes to this program, and recognises it among others'. The kernel keeps 127
// characters of a pattern and cuts the rest without an error. It splits arguments at blanks: since Linux 5.3 before it
// expands %, on older kernels after that (core(5)).
import { AppError } from "./app-error.ts";
import type { CaptureMode } from "./capture-mode.ts";
import { KERNEL_NUMBERS, patternFlag } from "./composer-flags.ts";
import { FILE_PATTERN_PREFIX } from "./core-file-pattern.ts";

/** CORENAME_MAX_SIZE is 128 with the terminating NUL (include/linux/binfmts.h). */
export const PATTERN_MAX_LENGTH = 127;

/** The executable's name on the host; an executable started under this name runs as the composer. */
export const COMPOSER_NAME = "cdc";

// What the kernel itself counts comes first; what the crashing process may choose (%h, %e, %E) last:
// where an older kernel lets a process name inject an argument, the first one of a kind wins.
const FILLED_IN = [...KERNEL_NUMBERS, "pidfd", "hostname", "exe-name", "pathname"] as const;
const ARGUMENTS = FILLED_IN.map(patternFlag).join(" ");

/**
 * Returns the core_pattern that starts HOST_DIR/cdc. CORE_DIR stands on the line where it fits, relative to HOST_DIR if
 * it is below it; the composer reads it from HOST_DIR/.env in any case. Throws AppError "configuration" when HOST_DIR
 * holds a blank or the line would be cut by the kernel.
 */
export function planCorePattern(hostDir: string, coreDir: string): string {
  if (/[\s%]/.test(hostDir))
    throw new AppError("configuration", `HOST_DIR "${hostDir}" holds a blank or a % sign`, {
      hint: "the kernel splits core_pattern on blanks and expands %; choose a plain path",
    });
  const command = `|${hostDir}/${COMPOSER_NAME}`;
  const plain = `${command} ${ARGUMENTS}`;
  if (plain.length > PATTERN_MAX_LENGTH)
    throw new AppError(
      "configuration",
      `core_pattern would be ${plain.length} characters long with HOST_DIR "${hostDir}", and the kernel keeps ${PATTERN_MAX_LENGTH}`,
      {
        hint: `HOST_DIR may have ${hostDir.length - (plain.length - PATTERN_MAX_LENGTH)} characters`,
      },
    );
  const below = coreDir.startsWith(`${hostDir}/`) ? coreDir.slice(hostDir.length + 1) : coreDir;
  const withDir = `${command} -d=${below} ${ARGUMENTS}`;
  return /[\s%]/.test(below) || withDir.length > PATTERN_MAX_LENGTH ? plain : withDir;
}

/** The listener's socket, in HOST_DIR. */
export const SOCKET_NAME = "cdc.sock";

/** unix(7): sun_path holds 108 bytes with the terminating NUL. */
const SOCKET_PATH_MAX_BYTES = 107;

/**
 * Returns the core_pattern that sends cores to the listener's socket (Linux 6.16). With `negotiated` the kernel asks
 * the listener before it sends a core (Linux 6.17). Throws AppError "configuration" where HOST_DIR is too long for a
 * socket's address.
 */
export function planSocketPattern(hostDir: string, negotiated: boolean): string {
  const path = `${hostDir}/${SOCKET_NAME}`;
  if (Buffer.byteLength(path) > SOCKET_PATH_MAX_BYTES)
    throw new AppError("configuration", `HOST_DIR "${hostDir}" is too long for a socket in it`, {
      hint: `it may have ${SOCKET_PATH_MAX_BYTES - SOCKET_NAME.length - 1} bytes`,
    });
  return `${negotiated ? "@@" : "@"}${path}`;
}

/**
 * Returns the capture mode that a pattern of ours means, also one that an older version wrote; undefined for another
 * program's pattern.
 */
export function captureModeOf(pattern: string, hostDir: string): CaptureMode | undefined {
  const [program] = pattern.trimEnd().split(/\s/, 1);
  if (program === `|${hostDir}/${COMPOSER_NAME}`) return "pipe";
  const socket = `${hostDir}/${SOCKET_NAME}`;
  if (program === `@${socket}` || program === `@@${socket}`) return "socket";
  return program?.startsWith(FILE_PATTERN_PREFIX) === true ? "file" : undefined;
}

/** Returns whether a pattern hands cores to this program, as installed in hostDir. */
export function isOurPattern(pattern: string, hostDir: string): boolean {
  return captureModeOf(pattern, hostDir) !== undefined;
}

/**
 * Returns the HOST_DIR that a pattern of this program or of its ancestor names, whichever folder that is; undefined for
 * another program's pattern, and for the one of file capture, which names no folder.
 */
export function hostDirOf(pattern: string): string | undefined {
  const [program = ""] = pattern.trimEnd().split(/\s/, 1);
  const named = /^(?:\|(\/.+)\/cdc|@@?(\/.+)\/cdc\.sock)$/.exec(program);
  return named?.[1] ?? named?.[2];
}
