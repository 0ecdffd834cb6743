// The store as an S3 bucket: whole objects here, parts in s3-multipart.ts, addresses in s3-endpoint.ts,
// errors in s3-errors.ts. Nothing here retries.
import {
  HeadObjectCommand,
  PutObjectCommand,
  type HeadObjectCommandOutput,
} from "@aws-sdk/client-s3";
import type { StoreSettings } from "../../config/store-settings.ts";
import type { Dump, Evidence, ObjectStore, Presence } from "./object-store.ts";
import { compositeEtag, digestRange, toHex } from "./part-digest.ts";
import { readBody } from "./s3-body.ts";
import { DELIVERY_ID, objectHeaders, unquoteEtag } from "./s3-headers.ts";
import { openS3Multipart } from "./s3-multipart.ts";
import { probeS3 } from "./s3-probe.ts";
import { S3Session } from "./s3-session.ts";
import { failureOf } from "./store-error.ts";

/** Throws AppError "configuration" where the settings name no bucket or no possible address. */
export function openS3Store(settings: StoreSettings): ObjectStore {
  const session = new S3Session(settings);
  const multipart = openS3Multipart(session);

  async function head(
    key: string,
    signal: AbortSignal,
  ): Promise<HeadObjectCommandOutput | "absent" | "unreadable"> {
    const checksum = session.sendsCrc32 ? { ChecksumMode: "ENABLED" as const } : {};
    const command = new HeadObjectCommand({ ...session.at(key), ...checksum });
    try {
      return await session.run(`look at ${key}`, signal, (client, options) =>
        client.send(command, options),
      );
    } catch (error) {
      // A HEAD's answer has no body: 404 is a missing key or a missing bucket, 403 anything from a wrong
      // secret to a policy without s3:ListBucket. The write that follows tells them apart.
      if (failureOf(error) === "not_found") return "absent";
      if (failureOf(error) === "forbidden") return "unreadable";
      throw error;
    }
  }

  /** The ETag that this dump has where `etag` stands for as many parts as we would make. */
  async function localEtag(dump: Dump, etag: string, signal: AbortSignal) {
    const { partCount, partSizeBytes } = multipart.plan(dump.sizeBytes);
    const parts = /^[0-9a-f]{32}(?:-(\d+))?$/.exec(etag);
    if (parts === null || Number(parts[1] ?? 1) !== partCount) return undefined;
    const etags: string[] = [];
    for (let number = 0; number < partCount; number++) {
      const start = number * partSizeBytes;
      const end = Math.min(dump.sizeBytes, start + partSizeBytes);
      const choice = { sha256: false, crc32: false };
      etags.push(toHex((await digestRange(dump.path, start, end, choice, signal)).md5));
    }
    return partCount === 1 ? etags[0] : compositeEtag(etags);
  }

  async function examine(
    key: string,
    dump: Dump,
    known: Evidence | undefined,
    signal: AbortSignal,
  ): Promise<Presence> {
    const found = await head(key, signal);
    if (found === "absent" || found === "unreadable") return found;
    if (found.ContentLength !== dump.sizeBytes) return "different";
    const etag = unquoteEtag(found.ETag);
    if (known?.crc32 !== undefined && found.ChecksumCRC32 !== undefined)
      return found.ChecksumCRC32 === known.crc32 ? "same" : "different";
    if (known?.etag !== undefined && etag === known.etag) return "same";
    if (known?.answeredRight === true) return "different";
    // The store's ETags prove nothing, or an earlier run left the object: it is this dump if it carries its
    // id (all bytes were checked by Content-MD5 as they came in), or if its ETag is what ours would be.
    if (found.Metadata?.[DELIVERY_ID] === dump.deliveryId) return "same";
    return etag === (await localEtag(dump, etag, signal)) ? "same" : "different";
  }

  async function put(key: string, dump: Dump, signal: AbortSignal): Promise<Evidence> {
    const body = await readBody(session, dump, 0, dump.sizeBytes, signal);
    const input = { ...session.at(key), ...objectHeaders(settings, dump) };
    const { ETag } = await session.write(`upload ${key}`, signal, (client, options, only) =>
      client.send(new PutObjectCommand({ ...input, ...body.input(), ...only }), options),
    );
    const isRight = unquoteEtag(ETag) === body.md5Hex;
    return { etag: body.md5Hex, crc32: body.crc32, answeredRight: isRight };
  }

  return {
    get name() {
      return session.name;
    },
    multipart,
    examine,
    put,
    probe: (signal) => probeS3(session, multipart, signal),
    close: () => session.close(),
  };
}
