// Tests whether the agent may write to a bucket. Begins a multipart upload and aborts it: that needs the same right as
// a dump (s3:PutObject) and leaves nothing, while a small object would need s3:DeleteObject too.
import { fixedFolderOf } from "../key-path.ts";
import { StoreError } from "../store-error.ts";
import type { Dump, MultipartWriter, StoreProbe } from "../store-port.ts";
import type { S3Session } from "./s3-session.ts";

const NOTHING: Dump = {
  path: "",
  sizeBytes: 0,
  deliveryId: "doctor",
  labels: { facts: {}, tags: {} },
};

/** Runs the test. Never throws StoreError: the result has the failure. */
export async function probeS3(
  session: S3Session,
  multipart: MultipartWriter,
  signal: AbortSignal,
): Promise<StoreProbe> {
  const key = `${fixedFolderOf(session.settings.STORE_KEY_TEMPLATE)}.cdh-doctor-${crypto.randomUUID()}`;
  const attempt = async () => {
    const upload = await multipart.create(key, NOTHING, signal);
    await multipart.abort(upload, signal);
  };
  let failure: unknown;
  try {
    await attempt().catch((error: unknown) => {
      // After a refusal for a wrong clock the SDK signs with the store's time, so the second attempt shows the real
      // result.
      if (error instanceof StoreError && error.failure === "server") return attempt();
      throw error;
    });
  } catch (error) {
    failure = error;
  }
  return { name: session.name, failure, aheadMs: session.aheadMs };
}
