// The reading half for a container of Azure Blob Storage: List Blobs and ranged Get Blob, with retries where they help.
import type { StoreSettings } from "../../config/store-settings.ts";
import { openLog } from "../../host/log.ts";
import { withRetries } from "../retry.ts";
import { StoreError } from "../store-error.ts";
import { openRanges, readHeadBy } from "../stored-object.ts";
import type { StoreReader } from "../store-port.ts";
import type { AzureRequest } from "./azure-request.ts";
import { AzureSession } from "./azure-session.ts";
import { parseBlobs } from "./azure-xml.ts";

/** Opens the container. Throws AppError "configuration" for settings that contradict each other. */
export function openAzureReader(settings: StoreSettings): StoreReader {
  const session = new AzureSession(settings);
  const { signal } = new AbortController();
  const log = openLog({ level: "Error", format: "text" });
  const again = (action: string, make: () => AzureRequest) =>
    withRetries(() => session.run(action, signal, make), { signal, log });

  async function* pages(prefix: string) {
    for (let marker = ""; ;) {
      const query = {
        restype: "container",
        comp: "list",
        ...(prefix === "" ? {} : { prefix }),
        ...(marker === "" ? {} : { marker }),
      };
      const { body } = await again(`list ${prefix || "the container"}`, () => ({
        method: "GET",
        query,
      }));
      const { blobs, next } = parseBlobs(body.toString());
      yield blobs;
      if (next !== "" && next === marker)
        throw new StoreError("server", `${session.name} lists the same page over and over`);
      marker = next;
      if (marker === "") return;
    }
  }

  async function* list(prefix: string) {
    for await (const blobs of pages(prefix)) yield* blobs.filter(({ key }) => key.endsWith(".zip"));
  }

  /** The service cannot begin behind a name: what comes before `after` is listed, and left out here. */
  async function* names(prefix: string, after = "") {
    for await (const blobs of pages(prefix))
      yield blobs.map(({ key }) => key).filter((key) => key > after);
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
      key,
      headers: { range: `bytes=${start}-${end - 1}`, ...condition },
      answerMaxBytes: end - start,
    }));
    return body;
  }

  const head = async (key: string, bytes: number) => readHeadBy(() => range(key, 0, bytes, {}));

  async function open(key: string) {
    const { headers } = await again(`look at ${key}`, () => ({ method: "HEAD", key }));
    const sizeBytes = Number(headers.get("content-length") ?? 0);
    const version = headers.get("etag") ?? "";
    const condition: Record<string, string> = version === "" ? {} : { "if-match": version };
    return openRanges({ name: `${key} in ${session.name}`, sizeBytes, version }, (start, end) =>
      range(key, start, end, condition),
    );
  }

  return { name: session.name, list, names, head, open, close: () => {} };
}
