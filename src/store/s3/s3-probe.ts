// May we write to this bucket? A multipart upload is begun and aborted: that takes the same right as a dump
// (s3:PutObject) and leaves nothing, where a small object would need s3:DeleteObject to go away again.
import { StoreError } from "../store-error.ts";
import type { Dump, MultipartWriter, StoreProbe } from "../store-port.ts";
import type { S3Session } from "./s3-session.ts";

const NOTHING: Dump = {
  path: "",
  sizeBytes: 0,
  deliveryId: "doctor",
  labels: { facts: {}, tags: {} },
};

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
      // After a clock that is off, the SDK signs by the store's: the second try tells.
      if (error instanceof StoreError && error.failure === "server") return attempt();
      throw error;
    });
  } catch (error) {
    failure = error;
  }
  return { name: session.name, failure, aheadMs: session.aheadMs };
}

/** Rights may be given for a prefix only: the part of the key template before its first field. */
function fixedFolderOf(template: string): string {
  const fixed = template.split("{", 1)[0] ?? "";
  return fixed.slice(0, fixed.lastIndexOf("/") + 1);
}
