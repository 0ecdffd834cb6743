// The reading half for a bucket of Google Cloud Storage: lists of objects and ranges of one, with retries where they
// help.
import type { StoreSettings } from "../../config/store-settings.ts";
import { openLog } from "../../host/log.ts";
import { withRetries } from "../retry.ts";
import { StoreError } from "../store-error.ts";
import { openRanges, readHeadBy } from "../stored-object.ts";
import type { StoreReader } from "../store-port.ts";
import { OBJECT_FIELDS, parseList, parseObject } from "./google-object.ts";
import { GoogleSession, type GoogleRequest } from "./google-session.ts";

/** Opens the bucket. Throws AppError "configuration" for credentials that are none. */
export function openGoogleReader(settings: StoreSettings): StoreReader {
  const session = new GoogleSession(settings);
  const { signal } = new AbortController();
  const log = openLog({ level: "Error", format: "text" });
  const again = (action: string, make: () => GoogleRequest) =>
    withRetries(() => session.run(action, signal, make), { signal, log });

  async function* pages(prefix: string, startOffset: string) {
    const action = `list ${prefix || "the bucket"}`;
    for (let token = ""; ;) {
      const query = {
        fields: `items(${OBJECT_FIELDS}),nextPageToken`,
        ...(prefix === "" ? {} : { prefix }),
        ...(startOffset === "" ? {} : { startOffset }),
        ...(token === "" ? {} : { pageToken: token }),
      };
      const { body } = await again(action, () => ({ method: "GET", url: session.listUrl(query) }));
      const { items, nextPageToken } = parseList(body, action);
      yield items;
      if (nextPageToken !== "" && nextPageToken === token)
        throw new StoreError("server", `${session.name} lists the same page over and over`);
      token = nextPageToken;
      if (token === "") return;
    }
  }

  async function* list(prefix: string) {
    for await (const items of pages(prefix, ""))
      for (const { name, size, updated } of items)
        if (name.endsWith(".zip"))
          yield { key: name, sizeBytes: size, modifiedMs: Date.parse(updated) || 0 };
  }

  /** The store begins at `after` itself. */
  async function* names(prefix: string, after = "") {
    for await (const items of pages(prefix, after))
      yield items.map(({ name }) => name).filter((name) => name > after);
  }

  /** Reads the bytes [start, end), or fewer. */
  async function range(
    key: string,
    start: number,
    end: number,
    condition: Record<string, string>,
  ): Promise<Buffer> {
    const { body } = await again(`fetch ${key}`, () => ({
      method: "GET",
      url: session.objectUrl(key, { alt: "media", ...condition }),
      headers: { range: `bytes=${start}-${end - 1}` },
      answerMaxBytes: end - start,
    }));
    return body;
  }

  const head = async (key: string, bytes: number) => readHeadBy(() => range(key, 0, bytes, {}));

  async function open(key: string) {
    const action = `look at ${key}`;
    const { body } = await again(action, () => ({
      method: "GET",
      url: session.objectUrl(key, { fields: OBJECT_FIELDS }),
    }));
    const { size: sizeBytes, generation } = parseObject(body, action);
    const facts = { name: `${key} in ${session.name}`, sizeBytes, version: generation };
    return openRanges(facts, (start, end) =>
      range(key, start, end, { ifGenerationMatch: generation }),
    );
  }

  return { name: session.name, list, names, head, open, close: () => {} };
}
