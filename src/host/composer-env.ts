// Reads HOST_DIR/.env, which the agent writes for the composer. Accepts only a regular file of a sensible length,
// waits for no other kind of file and follows no link.
import { join } from "node:path";
import { describeError } from "../model/app-error.ts";
import { parseEnvFile } from "../model/env-file.ts";
import { readBounded } from "./bounded-read.ts";

/** The longest `.env` that is read; the agent's is below 2 KiB. */
const MAX_BYTES = 64 * 1024;

/** The keys and values of the file. */
export interface ComposerEnv {
  values: Readonly<Record<string, string>>;
  /** Why there are no values; undefined where the file was read. */
  failure: string | undefined;
}

/** Reads the file. Never throws: without it every setting has its default. */
export async function readComposerEnv(hostDir: string): Promise<ComposerEnv> {
  const path = join(hostDir, ".env");
  try {
    const { data, cut } = await readBounded(path, MAX_BYTES);
    if (cut) throw new Error(`${path} is longer than ${MAX_BYTES} bytes`);
    return { values: parseEnvFile(new TextDecoder().decode(data)), failure: undefined };
  } catch (error) {
    return { values: {}, failure: describeError(error) };
  }
}
