// The reading half for an S3 bucket: ListObjectsV2 and ranged GetObject, with retries where they help.
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { StoreSettings } from "../../config/store-settings.ts";
import { openLog } from "../../host/log.ts";
import { withRetries } from "../retry.ts";
import { S3Session } from "./s3-session.ts";
import { StoreError } from "../store-error.ts";
import { openRanges, readHeadBy } from "../stored-object.ts";
import type { StoreReader } from "../store-port.ts";

/** Opens the bucket. Throws AppError "configuration" where the settings name no bucket or no possible address. */
export function openS3Reader(settings: StoreSettings): StoreReader {
  const session = new S3Session(settings);
  const { signal } = new AbortController();
  const log = openLog({ level: "Error", format: "text" });
  const again = <T>(action: string, send: Parameters<typeof session.run<T>>[2]) =>
    withRetries(() => session.run(action, signal, send), { signal, log });

  /** Yields the pages of a listing. Where a page ends within `except`, the next begins behind that. */
  async function* pages(prefix: string, { after = "", except = "" } = {}) {
    let start = after;
    for (let token: string | undefined; ;) {
      const begin = start === "" ? {} : { StartAfter: start };
      const from = token === undefined ? begin : { ContinuationToken: token };
      const page = await again(`list ${prefix || "the bucket"}`, (client, options) =>
        client.send(
          new ListObjectsV2Command({ Bucket: session.bucket, Prefix: prefix, ...from }),
          options,
        ),
      );
      const objects = page.Contents ?? [];
      yield objects;
      const next = page.NextContinuationToken;
      if (next !== undefined && next === token)
        throw new StoreError("server", `${session.address} lists the same page over and over`);
      token = next;
      if (token === undefined) return;
      if (except === "" || objects.at(-1)?.Key?.startsWith(except) !== true) continue;
      token = undefined;
      start = afterAll(except);
    }
  }

  async function* list(prefix: string, except?: string) {
    for await (const page of pages(prefix, { except }))
      for (const { Key: key = "", Size = 0, LastModified } of page)
        if (key.endsWith(".zip"))
          yield { key, sizeBytes: Size, modifiedMs: LastModified?.getTime() ?? 0 };
  }

  async function* names(prefix: string, after?: string) {
    for await (const page of pages(prefix, { after }))
      yield page.flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
  }

  /**
   * Reads the bytes [start, end), or fewer. Stops at more: a store without ranges would send the whole object into
   * memory.
   */
  async function range(key: string, start: number, end: number, condition: { IfMatch?: string }) {
    return again(`fetch ${key}`, async (client, options) => {
      const Range = `bytes=${start}-${end - 1}`;
      const command = new GetObjectCommand({ ...session.at(key), Range, ...condition });
      const { Body } = await client.send(command, options);
      const chunks: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const chunk of Body?.transformToWebStream() ?? []) {
        sizeBytes += chunk.length;
        if (sizeBytes > end - start)
          throw new StoreError(
            "unsupported",
            `${session.address} sends more of ${key} than asked`,
            {
              hint: "a store has to know ranges (RFC 9110, 14) for its dumps to be read",
            },
          );
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    });
  }

  const head = async (key: string, bytes: number) => readHeadBy(() => range(key, 0, bytes, {}));

  async function open(key: string) {
    const found = await again(`look at ${key}`, (client, options) =>
      client.send(new HeadObjectCommand(session.at(key)), options),
    );
    const sizeBytes = found.ContentLength ?? 0;
    const version = found.ETag ?? "";
    const condition = version === "" ? {} : { IfMatch: version };
    return openRanges({ name: `${key} in ${session.bucket}`, sizeBytes, version }, (start, end) =>
      range(key, start, end, condition),
    );
  }

  return {
    name: session.name,
    list,
    names,
    head,
    open,
    close: () => session.close(),
  };
}

/** Returns a key that is greater than all that begin with the prefix, which ends with a character of ASCII. */
function afterAll(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}
