// S3's multipart requests: begin, part, list, complete, abort. src/agent/delivery/ decides their order.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { planParts } from "../../model/part-plan.ts";
import { S3_PART_LIMITS } from "../../model/s3-limits.ts";
import type { MultipartWriter, StoredPart } from "../store-port.ts";
import { compositeCrc32, compositeEtag, md5OfPart } from "./s3-digest.ts";
import { readBody } from "./s3-body.ts";
import { objectHeaders, unquoteEtag } from "./s3-headers.ts";
import { etagIsMd5, isSameMd5, parsePart, receiptOf, type S3Part } from "./s3-proof.ts";
import type { S3Session } from "./s3-session.ts";
import { failureOf, otherBytes, StoreError } from "../store-error.ts";

/** How often a part is sent: once more where the store has other bytes than were sent. */
const PART_ATTEMPTS = 2;

/** Opens the multipart requests of a bucket. */
export function openS3Multipart(session: S3Session): MultipartWriter {
  const plan = (sizeBytes: number) =>
    planParts(sizeBytes, S3_PART_LIMITS, session.settings.STORE_PART_SIZE);
  /** Set when a part's ETag was its MD5; from then on another MD5 means other bytes. */
  let areEtagsMd5s = false;
  return {
    concurrency: session.settings.STORE_CONCURRENCY,

    plan,

    async create(key, dump, signal) {
      const checksum = session.sendsCrc32 ? { ChecksumAlgorithm: "CRC32" as const } : {};
      const input = { ...session.at(key), ...objectHeaders(session.settings, dump), ...checksum };
      const { UploadId } = await session.run(`begin ${key}`, signal, (client, options) =>
        client.send(new CreateMultipartUploadCommand(input), options),
      );
      if (UploadId === undefined)
        throw new StoreError("server", `begin ${key}: the answer names no upload`);
      return { key, uploadId: UploadId };
    },

    async uploadPart({ key, uploadId }, dump, { number, start, end }, signal) {
      const action = `upload part ${number} of ${key}`;
      const body = await readBody(session, dump, start, end, signal);
      const input = { ...session.at(key), UploadId: uploadId, PartNumber: number };
      for (let attempt = 1; ; attempt++) {
        const answer = await session
          .run(action, signal, (client, options) =>
            client.send(new UploadPartCommand({ ...input, ...body.input() }), options),
          )
          .catch(throwGone);
        const etag = unquoteEtag(answer.ETag);
        if (etag === "") throw new StoreError("server", `${action}: the answer has no ETag`);
        const isRight = isSameMd5(etag, body.md5Hex);
        areEtagsMd5s ||= isRight;
        // As long as no part's ETag was an MD5, the check of the finished object decides.
        const proof: S3Part = { etag, crc32: body.crc32 ?? null, md5: body.md5Hex };
        if (isRight || !areEtagsMd5s || !etagIsMd5(etag, 1, answer))
          return { number, sizeBytes: end - start, proof };
        if (attempt === PART_ATTEMPTS) throw otherBytes(`${action}: the store has`);
      }
    },

    async listParts({ key, uploadId }, signal) {
      const parts: StoredPart[] = [];
      for (let marker: string | undefined; ;) {
        const input = {
          ...session.at(key),
          UploadId: uploadId,
          ...(marker === undefined ? {} : { PartNumberMarker: marker }),
        };
        const page = await session
          .run(`list the parts of ${key}`, signal, (client, options) =>
            client.send(new ListPartsCommand(input), options),
          )
          .catch(throwGone);
        for (const { PartNumber: number, Size: sizeBytes, ETag, ChecksumCRC32 } of page.Parts ?? [])
          if (number !== undefined && sizeBytes !== undefined)
            parts.push({ number, sizeBytes, proof: listedPart(ETag, ChecksumCRC32) });
        const next = page.NextPartNumberMarker;
        if (page.IsTruncated !== true || next === undefined || next === marker) return parts;
        marker = next;
      }
    },

    async complete({ key, uploadId }, dump, stored, replaces, signal) {
      const parts = stored.map(({ number, proof }) => ({ number, ...parsePart(proof) }));
      const Parts = parts.map(({ number, etag, crc32 }) => ({
        PartNumber: number,
        ETag: `"${etag}"`,
        ...(crc32 === null ? {} : { ChecksumCRC32: crc32 }),
      }));
      const input = { ...session.at(key), UploadId: uploadId, MultipartUpload: { Parts } };
      // Digests again the parts that an earlier process sent, because the store's own list of them proves nothing.
      const cut = plan(dump.sizeBytes);
      const md5s: string[] = [];
      for (const { number, md5 } of parts)
        md5s.push(md5 ?? (await md5OfPart(dump, cut, number, signal)));
      const { ETag } = await session
        .write(`complete ${key}`, { signal, replaces }, (client, options, only) =>
          client.send(new CompleteMultipartUploadCommand({ ...input, ...only }), options),
        )
        .catch(throwGone);
      const answerEtag = unquoteEtag(ETag);
      const whole = compositeEtag(md5s);
      // A whole object's ETag of another form (Alibaba's) proves nothing, even where the parts' ETags were their MD5s.
      const isOtherKind =
        answerEtag !== "" &&
        !isSameMd5(answerEtag, whole) &&
        parts.every(({ etag }, index) => isSameMd5(etag, md5s[index]));
      return receiptOf({
        etag: isOtherKind ? null : whole,
        crc32: compositeCrc32(parts.map(({ crc32 }) => crc32 ?? undefined)) ?? null,
        answerEtag,
      });
    },

    async abort({ key, uploadId }, signal) {
      const input = { ...session.at(key), UploadId: uploadId };
      try {
        await session.run(`abort ${key}`, signal, (client, options) =>
          client.send(new AbortMultipartUploadCommand(input), options),
        );
      } catch (error) {
        if (!["gone", "not_found"].includes(failureOf(error) ?? "")) throw error;
      }
    },

    async listUploads(key, signal) {
      // Reads one page, because a dump never has a thousand unfinished uploads.
      const input = { Bucket: session.bucket, Prefix: key };
      const page = await session.run(
        `list unfinished uploads of ${key}`,
        signal,
        (client, options) => client.send(new ListMultipartUploadsCommand(input), options),
      );
      return (page.Uploads ?? []).flatMap(({ Key, UploadId, Initiated }) =>
        Key === key && UploadId !== undefined
          ? [{ key, uploadId: UploadId, initiatedMs: Initiated?.getTime() ?? 0 }]
          : [],
      );
    },
  };
}

/** Throws "gone" for an unknown upload, to which radosgw answers NoSuchKey instead of NoSuchUpload. */
function throwGone(error: unknown): never {
  if (failureOf(error) !== "not_found") throw error;
  throw new StoreError("gone", "the store does not know this upload", { cause: error });
}

/** Makes the proof of a part that an earlier process sent. */
function listedPart(etag: string | undefined, crc32: string | undefined): S3Part {
  return { etag: unquoteEtag(etag), crc32: crc32 ?? null, md5: null };
}
