// HOST_DIR/.env, as the agent writes it for the composer. A regular file of a sensible length; nothing else is waited
// for or followed.
import { join } from "node:path";
import { describeError } from "../model/app-error.ts";
import { parseEnvFile } from "../model/env-file.ts";
import { readBounded } from "./bounded-read.ts";

/** The agent's is below 2 KiB. */
const MAX_BYTES = 64 * 1024;

export interface ComposerEnv {
  values: Readonly<Record<string, string>>;
  /** Why there are no values; undefined where the file was read. */
  failure: string | undefined;
}

/** Never throws: without the file every setting has its default. */
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
