// Tells the C library and its loader from other modules: their inner functions have names in one build and none in the
// next, and do not show whose bug it was.

const C_LIBRARY =
  /^(?:lib(?:c|m|dl|rt|pthread)(?:-[\d.]+)?\.so|ld-(?:linux|musl|[\d.]+)|libc\.musl-)/u;

/** Returns whether a mapped file is the C library, its loader or the vdso. */
export function isCLibrary(path: string): boolean {
  return path === "[vdso]" || C_LIBRARY.test(baseName(path));
}

const RUNTIME_LIBRARY = /^lib(?:stdc\+\+|gcc_s|c\+\+(?:abi)?|unwind)[-.]/u;

/**
 * Returns whether a file is one of C++'s own libraries, whose unnamed functions are parts of those that throw and
 * terminate.
 */
export function isRuntimeLibrary(path: string): boolean {
  return RUNTIME_LIBRARY.test(baseName(path));
}

/** Returns the last component of a mapped file's path, without " (deleted)". */
export function baseName(path: string): string {
  return path.replace(/ \(deleted\)$/u, "").slice(path.lastIndexOf("/") + 1);
}
