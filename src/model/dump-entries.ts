// The files in a dump's zip, by what their names have after the dump's own, T, and their order (docs/contract.md,
// section 6). Writers put them in this order, readers find them by these names.

/** One small file of the zip, named `T` + suffix. */
export interface DumpEntry {
  suffix: string;
  data: Uint8Array;
}

/** The suffixes of the first two entries of every zip. */
export const DUMP_INFO_SUFFIX = "-dump-info.json";
/** The suffix of the core, the second entry. */
export const CORE_SUFFIX = ".core";

/** The suffixes of the pod's entries, which follow the core in this order. */
export const POD_INFO_SUFFIX = "-pod-info.json";
/** The suffix of the pod's status, as `crictl inspectp` prints it. */
export const RUNTIME_INFO_SUFFIX = "-runtime-info.json";
/** The suffix of the list of the pod's containers. */
export const PS_INFO_SUFFIX = "-ps-info.json";
/** The pod's three suffixes in the zip's order. */

/**
 * Returns the suffix of the log of container N (from 0), the first of the container's entries; they follow the pod's.
 */
export function logSuffix(container: number): string {
  return `-${container}.log`;
}

/** Returns the suffix of the description of container N's image. */
export function imageInfoSuffix(container: number): string {
  return `-${container}-image-info.json`;
}

/** Why it crashed; behind the contract's entries. */
export const SUMMARY_SUFFIX = "-summary.json";
/** The crash as a page for people, the last entry. */
export const REPORT_SUFFIX = "-report.html";

/** Which files the process had mapped, by build-id and content; last of all. */
export const MODULES_SUFFIX = "-modules.json";

/** Returns the suffix of the folder that holds container N's /proc files, such as `maps`. */
export function procFolder(container: number): string {
  return `-${container}-proc`;
}

/**
 * The suffix of the folder with the crashing process's own /proc files, where no container is known to be the
 * crasher.
 */
export const CRASH_PROC_FOLDER = "-crash-proc";

/** Returns whether an entry's name is a dump-info's. */
export function isDumpInfoName(name: string): boolean {
  return name.endsWith(DUMP_INFO_SUFFIX);
}

/** Returns whether an entry's name is a core's. */
export function isCoreName(name: string): boolean {
  return name.endsWith(CORE_SUFFIX);
}
