// What becomes of an upload whose beginning was never answered, where the store also fails to tell of it.
import { expect, test } from "bun:test";
import { newJournal, type Journal } from "../../../../src/agent/delivery/journal.ts";
import { releaseUploads, sendParts } from "../../../../src/agent/delivery/multipart-upload.ts";
import type { MultipartWriter, StoreWriter, Upload } from "../../../../src/store/store-port.ts";
import { StoreError } from "../../../../src/store/store-error.ts";
import { recordedLog } from "../../../support/recorded-log.ts";

const KEY = "a.zip";
const lost = () => new StoreError("unreachable", "the answer was lost");

/** What goes wrong in a store, each until it is used up. */
interface Faults {
  /** Beginnings that are done, and not answered. */
  create?: number;
  list?: number;
  listParts?: () => StoreError;
  /** A beginning that was not answered is done only when this many more requests have come. */
  createsAfter?: number;
  /** An upload that somebody else's request begins, right before ours. */
  beginsBefore?: string;
}

function faultyStore(fails: Faults, unfinished: Upload[] = []) {
  const late: { upload: Upload; inRequests: number }[] = [];
  let begun = 0;
  const request = () => {
    for (const each of late) if (--each.inRequests === 0) unfinished.push(each.upload);
  };
  const drop = (uploadId: string) => {
    const at = unfinished.findIndex((upload) => upload.uploadId === uploadId);
    if (at >= 0) unfinished.splice(at, 1);
  };
  const multipart: MultipartWriter = {
    concurrency: 1,
    plan: (sizeBytes) => ({ sizeBytes, partBytes: 5, partCount: 2 }) as never,
    async create(key) {
      request();
      if (fails.beginsBefore !== undefined) unfinished.push({ key, uploadId: fails.beginsBefore });
      const upload = { key, uploadId: `upload-${begun++}` };
      const isLost = (fails.create ?? 0) >= begun;
      if (isLost && fails.createsAfter !== undefined)
        late.push({ upload, inRequests: fails.createsAfter });
      else unfinished.push(upload);
      if (isLost) throw lost();
      return upload;
    },
    async uploadPart(_upload, _dump, { number }) {
      request();
      return { number, sizeBytes: 5, proof: null };
    },
    async listParts() {
      request();
      if (fails.listParts !== undefined) throw fails.listParts();
      return [];
    },
    async complete({ uploadId }) {
      request();
      drop(uploadId);
      return { proof: null, isNeededLater: false, isSufficient: true };
    },
    async abort({ uploadId }) {
      request();
      drop(uploadId);
    },
    async listUploads() {
      request();
      if ((fails.list ?? 0) > 0) {
        fails.list = (fails.list ?? 0) - 1;
        throw lost();
      }
      return unfinished.map((upload) => ({ ...upload, initiatedMs: Date.now() }));
    },
  };
  return { multipart, unfinished };
}

const { signal } = new AbortController();

/** Sends a dump of two parts; what is left at the store then, and after the delivery's end. */
async function deliver(
  { multipart, unfinished }: ReturnType<typeof faultyStore>,
  changes: Partial<Journal> = {},
) {
  const journal = { ...newJournal({ sizeBytes: 10 } as never, KEY), ...changes };
  const log = recordedLog();
  const dump = { path: "/nonexistent/a.zip", sizeBytes: 10 } as never;
  const store = { examine: async () => "absent" } as unknown as StoreWriter;
  const context = { store, dump, journal, save: async () => {}, log, signal };
  expect(await sendParts(KEY, multipart, context)).toBeDefined();
  const before = unfinished.map(({ uploadId }) => uploadId);
  const isAllReleased =
    journal.opening === null || (await releaseUploads(journal, multipart, { log, signal }));
  return { before, isAllReleased, after: unfinished.map(({ uploadId }) => uploadId), journal };
}

test("an upload that the store would not tell of is let go of after the delivery", async () => {
  const end = await deliver(faultyStore({ create: 1, list: 1 }));
  expect(end).toMatchObject({ before: ["upload-0"], isAllReleased: true, after: [] });
});

test("an upload that a slow store begins after we asked for the list is let go of too", async () => {
  const end = await deliver(faultyStore({ create: 1, createsAfter: 3 }));
  expect(end).toMatchObject({ before: ["upload-0"], isAllReleased: true, after: [] });
});

test("so is one that was asked for by a process that was killed", async () => {
  const opening = { key: KEY, sinceMs: Date.now() };
  const end = await deliver(faultyStore({ beginsBefore: "of-the-killed" }), { opening });
  expect(end).toMatchObject({ before: ["of-the-killed"], isAllReleased: true, after: [] });
});

test("an upload whose parts may not be listed gives way to a new one, and is aborted", async () => {
  const begun = { key: KEY, uploadId: "begun" };
  const listParts = () => new StoreError("forbidden", "no listing");
  const end = await deliver(faultyStore({ listParts }, [begun]), { upload: begun });
  expect(end).toMatchObject({ before: [], after: [] });
  expect(end.journal).toMatchObject({ opening: null, upload: null });
});

test("without a lost answer nothing is looked for after the delivery", async () => {
  const { journal } = await deliver(faultyStore({}));
  expect(journal.opening).toBeNull();
});
