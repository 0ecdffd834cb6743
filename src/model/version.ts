// The program's version. build/build.ts replaces the constant; run from source there is none.
declare const CORE_DUMP_HANDLER_VERSION: string | undefined;

export const VERSION =
  typeof CORE_DUMP_HANDLER_VERSION === "string" ? CORE_DUMP_HANDLER_VERSION : "0.0.0-source";
