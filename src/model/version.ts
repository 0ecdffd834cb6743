// The program's version. build/build.ts replaces the constant; it does not exist in a run from source.
declare const CORE_DUMP_HANDLER_VERSION: string | undefined;

/** The program's version; "0.0.0-source" in a run from source. */
export const VERSION =
  typeof CORE_DUMP_HANDLER_VERSION === "string" ? CORE_DUMP_HANDLER_VERSION : "0.0.0-source";
