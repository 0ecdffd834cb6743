// The writing half for an S3 bucket. This file writes whole objects; s3-multipart.ts writes parts, s3-proof.ts proves
// that a dump arrived, s3-endpoint.ts knows addresses and s3-errors.ts errors. Callers do the retries.
import {
  HeadObjectCommand,
  PutObjectCommand,
  type HeadObjectCommandOutput,
} from "@aws-sdk/client-s3";
import type { StoreSettings } from "../../config/store-settings.ts";
import type { Dump, Presence, Proof, Receipt, StoreWriter } from "../store-port.ts";
import { markBy, presenceAfter } from "../stored-object.ts";
import { localEtag } from "./s3-digest.ts";
import { readBody } from "./s3-body.ts";
import { encryption, objectHeaders, unquoteEtag } from "./s3-headers.ts";
import { openS3Multipart } from "./s3-multipart.ts";
import { probeS3 } from "./s3-probe.ts";
import { compareObject, parseWrite, receiptOf } from "./s3-proof.ts";
import { readsBack } from "./s3-read-back.ts";
import { S3Session } from "./s3-session.ts";

/** Opens the store. Throws AppError "configuration" where the settings name no bucket or no possible address. */
export function openS3Writer(settings: StoreSettings): StoreWriter {
  const session = new S3Session(settings);
  const multipart = openS3Multipart(session);
  /** Set when a reading back has shown that this store's ETags are no MD5s. */
  let areEtagsOpaque = false;

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
      // A HEAD's answer has no body, so 404 means a missing key or a missing bucket, and 403 anything from a wrong
      // secret to a policy without s3:ListBucket. The write that follows distinguishes them.
      return presenceAfter(error);
    }
  }

  async function examine(
    key: string,
    dump: Dump,
    proof: Proof | undefined,
    signal: AbortSignal,
  ): Promise<Presence> {
    const found = await head(key, signal);
    if (found === "absent" || found === "unreadable") return found;
    const plan = multipart.plan(dump.sizeBytes);
    return compareObject(found, dump, parseWrite(proof), {
      partCount: plan.partCount,
      areEtagsOpaque,
      expectedEtag: () => localEtag(dump, plan, signal),
      readsBack: async () => {
        const isThere = await readsBack(session, key, dump, plan, signal);
        areEtagsOpaque ||= isThere;
        return isThere;
      },
    });
  }

  async function put(
    key: string,
    dump: Dump,
    replaces: boolean,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const body = await readBody(session, dump, 0, dump.sizeBytes, signal);
    const input = { ...session.at(key), ...objectHeaders(settings, dump) };
    const { ETag } = await session.write(
      `upload ${key}`,
      { signal, replaces },
      (client, options, only) =>
        client.send(new PutObjectCommand({ ...input, ...body.input(), ...only }), options),
    );
    return receiptOf({
      etag: body.md5Hex,
      crc32: body.crc32 ?? null,
      answerEtag: unquoteEtag(ETag),
    });
  }

  async function mark(key: string, signal: AbortSignal): Promise<"made" | "exists"> {
    const input = { ...session.at(key), Body: "", ContentLength: 0, ...encryption(settings) };
    return markBy(() =>
      session.write(`write ${key}`, { signal, replaces: false }, (client, options, only) =>
        client.send(new PutObjectCommand({ ...input, ...only }), options),
      ),
    );
  }

  return {
    get name() {
      return session.name;
    },
    rightsToLook: "s3:GetObject and s3:ListBucket",
    answersDigest: true,
    get isConditional() {
      return session.isConditional;
    },
    multipart,
    examine,
    put,
    mark,
    probe: (signal) => probeS3(session, multipart, signal),
    close: () => session.close(),
  };
}
