// What one process notes of a store's answer, and another makes of it: after an upgrade, and after a change of store.
import { statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "bun:test";
import { openDelivery } from "../../../../src/agent/delivery/delivery.ts";
import { journalPathOf, newJournal } from "../../../../src/agent/delivery/journal.ts";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";
import { md5, startMemoryStore } from "../../../support/memory-store.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const never = new AbortController().signal;
/** An ETag that is no MD5 of anything, as a bucket under KMS gives. */
const ETAG = md5(Buffer.from("opaque"));

/** Puts a journal beside the dump that notes, in the form of the version before, that S3 answered a write with ETAG. */
function noteAnswerAsBefore(path: string): void {
  const { size, mtimeMs, ino } = statSync(path);
  const journal = newJournal({ sizeBytes: size, mtimeMs, inode: ino }, basename(path));
  const written = { key: basename(path), etag: "0".repeat(32), crc32: null, answerEtag: ETAG };
  writeFileSync(journalPathOf(path), JSON.stringify({ ...journal, written }));
}

test("an answer that the version before noted tells our object from another's", async () => {
  const odd = { headers: { "x-amz-server-side-encryption": "aws:kms" }, etag: () => ETAG };
  const store = startMemoryStore(odd);
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const bytes = await Bun.file(path).bytes();
  store.objects.set("/cores/T.zip", { bytes, etag: ETAG, metadata: {} });
  noteAnswerAsBefore(path);
  const settings = storeSettings({
    S3_ENDPOINT: store.endpoint,
    S3_BUCKET_NAME: "cores",
    S3_ACCESS_KEY: "AK",
    S3_SECRET: "SK",
  });
  const log = recordedLog();
  expect(await openDelivery(settings, log).deliver(path, never)).toMatchObject({
    kind: "delivered",
    key: "T.zip",
  });
  expect(log.names()).not.toContain("journal_unreadable");
  expect(store.asked.filter(({ method }) => method === "PUT")).toEqual([]);
  store.stop();
});

test("what another store answered proves nothing of a file in a directory", async () => {
  const share = temporaryFolder();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const theirs = new Uint8Array(statSync(path).size);
  writeFileSync(join(share, "T.zip"), theirs);
  noteAnswerAsBefore(path);
  const settings = storeSettings({ STORE_URL: pathToFileURL(share).href });
  expect(await openDelivery(settings, recordedLog()).deliver(path, never)).toMatchObject({
    kind: "delivered",
    key: "T-1.zip",
  });
  expect(await Bun.file(join(share, "T.zip")).bytes()).toEqual(theirs);
});
