// The files in a dump's zip, by what their names have after the dump's own, T, and their order (docs/contract.md,
// section 6). Writers put them in this order, readers find them by these names.

/** One small file of the zip, named `T` + suffix. */
export interface DumpEntry {
  suffix: string;
  data: Uint8Array;
}

/** Always the first two. */
export const DUMP_INFO_SUFFIX = "-dump-info.json";
export const CORE_SUFFIX = ".core";

/** The pod's, in this order, behind the core. */
export const POD_INFO_SUFFIX = "-pod-info.json";
export const RUNTIME_INFO_SUFFIX = "-runtime-info.json";
export const PS_INFO_SUFFIX = "-ps-info.json";
export const POD_SUFFIXES = [POD_INFO_SUFFIX, RUNTIME_INFO_SUFFIX, PS_INFO_SUFFIX] as const;

/** Container N's, in this order, behind the pod's. */
export function logSuffix(container: number): string {
  return `-${container}.log`;
}

export function imageInfoSuffix(container: number): string {
  return `-${container}-image-info.json`;
}

/** The folder of container N's /proc files, such as `maps`. */
export function procFolder(container: number): string {
  return `-${container}-proc`;
}

export function isDumpInfoName(name: string): boolean {
  return name.endsWith(DUMP_INFO_SUFFIX);
}

export function isCoreName(name: string): boolean {
  return name.endsWith(CORE_SUFFIX);
}
