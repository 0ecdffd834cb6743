// Lock, journal and back-off of one file, with a directory as the store.
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "bun:test";
import { openDelivery } from "../../../../src/agent/delivery/delivery.ts";
import { journalPathOf } from "../../../../src/agent/delivery/journal.ts";
import { lockFile } from "../../../../src/agent/delivery/locked-file.ts";
import { partialName } from "../../../../src/model/core-file.ts";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const UUID = "11111111-2222-4333-8444-555555555555";
const never = new AbortController().signal;

function openAt(share: string, log = recordedLog()) {
  return openDelivery(storeSettings({ STORE_URL: pathToFileURL(share).href }), log);
}

/** A dump, a share that is not there yet, and the dump's journal after so many failures. */
async function failedDump(times: number) {
  const share = join(temporaryFolder(), "mnt");
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 100 });
  for (let attempt = 0; attempt < times; attempt++)
    await openAt(share).deliver(path, never, { ignoreBackoff: true });
  const journal = () => JSON.parse(readFileSync(journalPathOf(path), "utf8"));
  return { share, path, journal };
}

test("a file that another process holds is busy, and stays", async () => {
  const share = temporaryFolder();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 100 });
  const held = await lockFile(path);
  expect(await openAt(share).deliver(path, never)).toEqual({ kind: "busy" });
  await held?.release();
  expect(await openAt(share).deliver(path, never)).toMatchObject({ kind: "delivered" });
});

test("a file that another process has just delivered is busy, not an error", async () => {
  const path = join(temporaryFolder(), "T.zip");
  expect(await openAt(temporaryFolder()).deliver(path, never)).toEqual({ kind: "busy" });
});

test("failures are counted across processes, and each waits its turn", async () => {
  const { share, path, journal } = await failedDump(3);
  expect(journal()).toMatchObject({ version: 1, attempts: 3, suffix: 0, key: "T.zip" });
  expect(journal().lastError).toContain("cannot be reached");
  const later = { ...journal(), retryAtMs: Date.now() + 60_000 };
  writeFileSync(journalPathOf(path), JSON.stringify(later));
  mkdirSync(share);
  expect(await openAt(share).deliver(path, never)).toEqual({
    kind: "waiting",
    retryAtMs: later.retryAtMs,
  });
  expect(await openAt(share).deliver(path, never, { ignoreBackoff: true })).toMatchObject({
    kind: "delivered",
  });
  expect(existsSync(journalPathOf(path))).toBe(false);
});

test("a clock that was set back does not keep a file waiting for years", async () => {
  const { share, path, journal } = await failedDump(1);
  writeFileSync(
    journalPathOf(path),
    JSON.stringify({ ...journal(), retryAtMs: Date.now() + 1e11 }),
  );
  mkdirSync(share);
  expect(await openAt(share).deliver(path, never)).toMatchObject({ kind: "delivered" });
});

test.each([
  "",
  "{",
  "[]",
  '{"version":2}',
  `{"version":1,"attempts":-1}`,
  "\u0000".repeat(100_000),
])("a journal that makes no sense is started anew (%#)", async (text) => {
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 100 });
  writeFileSync(journalPathOf(path), text);
  const log = recordedLog();
  expect(await openAt(temporaryFolder(), log).deliver(path, never)).toMatchObject({
    kind: "delivered",
  });
  expect(log.names()).toContain("journal_unreadable");
});

test("a journal of another file of the same name is void", async () => {
  const { share, path, journal } = await failedDump(2);
  const other = journal();
  other.file.sizeBytes += 1;
  other.suffix = 7;
  other.retryAtMs = Date.now() + 60_000;
  writeFileSync(journalPathOf(path), JSON.stringify(other));
  mkdirSync(share);
  expect(await openAt(share).deliver(path, never)).toMatchObject({ key: "T.zip" });
});

test("while the store as a whole is away, other files do not each try it", async () => {
  const share = join(temporaryFolder(), "mnt");
  const folder = temporaryFolder();
  const delivery = openAt(share);
  const first = writeDump(folder, "A.zip", { coreBytes: 100 });
  const second = writeDump(folder, "B.zip", { coreBytes: 100 });
  // Full jitter may come out near nothing; over a few failures it does not.
  let rests = false;
  for (let attempt = 0; attempt < 8 && !rests; attempt++) {
    await delivery.deliver(first, never, { ignoreBackoff: true });
    rests = (await delivery.deliver(second, never)).kind === "waiting";
  }
  expect(rests).toBe(true);
});

test("what a kill left of a journal's writing is cleared away, with and without the dump", async () => {
  const folder = temporaryFolder();
  const path = writeDump(folder, "T.zip", { coreBytes: 10 });
  writeFileSync(`${journalPathOf(path)}.new`, "{");
  writeFileSync(`${journalPathOf(join(folder, "gone.zip"))}.new`, "{");
  const delivery = openAt(temporaryFolder());
  expect(await delivery.reclaim(folder, never)).toBe(1);
  expect((await delivery.deliver(path, never)).kind).toBe("delivered");
  expect(readdirSync(folder)).toEqual([]);
});

test("a journal whose dump is gone is cleared away", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, ".gone.zip.upload.json"), "{}");
  writeFileSync(join(folder, "foreign.json"), "{}");
  const there = writeDump(folder, "T.zip", { coreBytes: 10 });
  writeFileSync(journalPathOf(there), "{}");
  expect(await openAt(temporaryFolder()).reclaim(folder, never)).toBe(1);
  expect(existsSync(join(folder, ".gone.zip.upload.json"))).toBe(false);
  expect(existsSync(journalPathOf(there))).toBe(true);
  expect(existsSync(join(folder, "foreign.json"))).toBe(true);
});

test("a dump whose composer was killed right behind its publication leaves no second name", async () => {
  const [share, folder, log] = [temporaryFolder(), temporaryFolder(), recordedLog()];
  const path = writeDump(folder, "T.zip", { coreBytes: 100 });
  linkSync(path, join(folder, partialName(UUID)));
  const other = join(folder, partialName(crypto.randomUUID()));
  writeFileSync(other, "a dump under way");
  expect(await openAt(share, log).deliver(path, never)).toMatchObject({ kind: "delivered" });
  expect(readdirSync(folder)).toEqual([basename(other)]);
  expect(log.events).toContainEqual({
    level: "info",
    event: "partial_was_published",
    fields: { uuid: UUID },
  });
});
