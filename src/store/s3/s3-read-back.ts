// The last proof: reads an object back piece by piece and compares its bytes. For stores whose ETags look like MD5s
// and are none; one such reading settles it for the session.
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { partOf, type PartPlan } from "../../model/part-plan.ts";
import type { Dump } from "../store-port.ts";
import { md5OfPart } from "./s3-digest.ts";
import type { S3Session } from "./s3-session.ts";
import { StoreError } from "../store-error.ts";

/** Returns whether the object has the dump's bytes. Throws a transient StoreError, and StoreError "aborted". */
export async function readsBack(
  session: S3Session,
  key: string,
  dump: Dump,
  plan: PartPlan,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    for (let number = 1; number <= plan.partCount; number++) {
      const { start, end } = partOf(plan, number);
      const theirs = await md5OfRange(session, key, start, end, signal);
      if (theirs !== (await md5OfPart(dump, plan, number, signal))) return false;
    }
    return true;
  } catch (error) {
    // A store that refuses the reading proves nothing.
    if (!(error instanceof StoreError) || error.transient || error.failure === "aborted")
      throw error;
    return false;
  }
}

/** Reads one piece, no larger than a part, so that each request ends within its timeout. */
async function md5OfRange(
  session: S3Session,
  key: string,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<string> {
  const Range = `bytes=${start}-${end - 1}`;
  return session.run(`read back ${key}`, signal, async (client, options) => {
    const { Body } = await client.send(
      new GetObjectCommand({ ...session.at(key), Range }),
      options,
    );
    const md5 = new Bun.CryptoHasher("md5");
    for await (const chunk of Body?.transformToWebStream() ?? []) md5.update(chunk);
    return md5.digest("hex");
  });
}
