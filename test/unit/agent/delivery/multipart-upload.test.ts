// What becomes of an upload whose beginning was never answered, where the store also fails to tell of it.
import { expect, test } from "bun:test";
import { newJournal } from "../../../../src/agent/delivery/journal.ts";
import { releaseUploads, sendParts } from "../../../../src/agent/delivery/multipart-upload.ts";
import type {
  MultipartStore,
  ObjectStore,
  Upload,
} from "../../../../src/agent/delivery/object-store.ts";
import { StoreError } from "../../../../src/agent/delivery/store-error.ts";
import { recordedLog } from "../../../support/recorded-log.ts";

const KEY = "a.zip";
const lost = () => new StoreError("unreachable", "the answer was lost");

/** A store that begins an upload and does not say so, and then does not list either. */
function forgetfulStore() {
  const unfinished: Upload[] = [];
  const fails = { create: 1, list: 1 };
  const done = { sizeBytes: 10, checksum: undefined } as never;
  const multipart: MultipartStore = {
    concurrency: 1,
    plan: (sizeBytes) => ({ sizeBytes, partBytes: 5, partCount: 2 }) as never,
    async create(key) {
      const upload = { key, uploadId: `upload-${unfinished.length}` };
      unfinished.push(upload);
      if (fails.create-- > 0) throw lost();
      return upload;
    },
    uploadPart: async (_upload, _dump, { number }) => ({
      number,
      sizeBytes: 5,
      etag: "e",
      crc32: undefined,
    }),
    listParts: async () => [],
    async complete({ uploadId }) {
      unfinished.splice(
        unfinished.findIndex((upload) => upload.uploadId === uploadId),
        1,
      );
      return done;
    },
    async abort({ uploadId }) {
      const at = unfinished.findIndex((upload) => upload.uploadId === uploadId);
      if (at >= 0) unfinished.splice(at, 1);
    },
    async listUploads() {
      if (fails.list-- > 0) throw lost();
      return unfinished.map((upload) => ({ ...upload, initiatedMs: Date.now() }));
    },
  };
  return { multipart, unfinished };
}

test("an upload that the store would not tell of is let go of after the delivery", async () => {
  const { multipart, unfinished } = forgetfulStore();
  const journal = newJournal({ sizeBytes: 10 } as never, KEY);
  const log = recordedLog();
  const { signal } = new AbortController();
  const dump = { path: "/nonexistent/a.zip", sizeBytes: 10 } as never;
  const store = { examine: async () => "absent" } as unknown as ObjectStore;
  const context = { store, dump, journal, save: async () => {}, log, signal };
  expect(await sendParts(KEY, multipart, context)).toBeDefined();
  expect(unfinished.map(({ uploadId }) => uploadId)).toEqual(["upload-0"]);
  expect(journal.opening).toMatchObject({ key: KEY });
  expect(await releaseUploads(journal, multipart, { log, signal })).toBe(true);
  expect(unfinished).toEqual([]);
});
