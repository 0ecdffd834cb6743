// What only a directory has, on real directories: nothing half-written is seen, and a share that is away is said to be
// away. What every store must do is in test/unit/store/conformance.test.ts.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "bun:test";
import { openDelivery, type DeliveryOutcome } from "../../../../src/agent/delivery/delivery.ts";
import { openDirectoryWriter } from "../../../../src/store/directory/directory-writer.ts";
import type { Dump } from "../../../../src/store/store-port.ts";
import { failureOf } from "../../../../src/store/store-error.ts";
import { describeError } from "../../../../src/model/app-error.ts";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const never = new AbortController().signal;

function deliver(path: string, share: string, changes: Record<string, string> = {}) {
  const settings = storeSettings({ STORE_URL: pathToFileURL(share).href, ...changes });
  return openDelivery(settings, recordedLog()).deliver(path, never);
}

function failureIn(outcome: DeliveryOutcome): unknown {
  return outcome.kind === "failed" ? failureOf(outcome.error) : outcome.kind;
}

test("a share that is not mounted is never made: the dump would fill the node's own disk", async () => {
  const share = join(temporaryFolder(), "mnt");
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const outcome = await deliver(path, share);
  expect(failureIn(outcome)).toBe("away");
  expect(outcome.kind === "failed" ? describeError(outcome.error) : "").toContain("mounted");
  expect(existsSync(share)).toBe(false);
  expect(existsSync(path)).toBe(true);
});

test("a copy that was killed leaves a hidden file, and the next one replaces it", async () => {
  const share = temporaryFolder();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const dump: Dump = {
    path,
    sizeBytes: Bun.file(path).size,
    deliveryId: "id-1",
    labels: { facts: {}, tags: {} },
  };
  writeFileSync(join(share, ".cdh-id-1.part"), "half of it");
  const store = openDirectoryWriter(pathToFileURL(share).href, 10_000);
  await store.put("T.zip", dump, false, never);
  expect(readdirSync(share)).toEqual(["T.zip"]);
  expect(await store.examine("T.zip", dump, undefined, never)).toBe("same");
});

test("a stop in the middle of a copy leaves nothing behind at the share", async () => {
  const share = temporaryFolder();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 200_000_000 });
  const stop = new AbortController();
  const settings = storeSettings({ STORE_URL: pathToFileURL(share).href });
  const copying = openDelivery(settings, recordedLog()).deliver(path, stop.signal);
  while (readdirSync(share).length === 0) await Bun.sleep(1);
  stop.abort();
  expect(failureIn(await copying)).toBe("aborted");
  expect(readdirSync(share)).toEqual([]);
  expect(existsSync(path)).toBe(true);
}, 60_000);

test("a name too long for the share is replaced by a plainer one of the same dump", async () => {
  const share = temporaryFolder();
  const template = `${"long".repeat(75)}/{filename}`;
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const outcome = await deliver(path, share, { STORE_KEY_TEMPLATE: template });
  const key = expect.stringMatching(/^(?:long)+lon-[0-9a-f]{8}\/T\.zip$/);
  expect(outcome).toMatchObject({ kind: "delivered", key });
});

test("a file that stands where one dump needs a folder holds up no other dump", async () => {
  const share = temporaryFolder();
  writeFileSync(join(share, "shop"), "a note");
  const settings = storeSettings({
    STORE_URL: pathToFileURL(share).href,
    STORE_KEY_TEMPLATE: "{namespace}/{filename}",
  });
  const delivery = openDelivery(settings, recordedLog());
  const folder = temporaryFolder();
  const [shop, bank] = ["shop", "bank"].map((namespace) =>
    writeDump(folder, `${namespace}.zip`, { coreBytes: 10, info: { namespace } }),
  );
  const refused = await delivery.deliver(shop ?? "", never);
  expect(failureIn(refused)).toBe("refused");
  expect(refused.kind === "failed" ? describeError(refused.error) : "").toContain("a file stands");
  expect(await delivery.deliver(bank ?? "", never)).toMatchObject({ key: "bank/bank.zip" });
  expect(existsSync(shop ?? "")).toBe(true);
});

test("a dump that cannot be read on the node says so, and does not blame the share", async () => {
  const share = temporaryFolder();
  const dump: Dump = {
    path: join(temporaryFolder(), "gone.zip"),
    sizeBytes: 1000,
    deliveryId: "id-1",
    labels: { facts: {}, tags: {} },
  };
  const store = openDirectoryWriter(pathToFileURL(share).href, 10_000);
  const failure = await store.put("T.zip", dump, false, never).catch((error: unknown) => error);
  expect(failureOf(failure)).toBe("unreadable_file");
  expect(describeError(failure)).toContain("gone.zip cannot be read");
  expect(readdirSync(share)).toEqual([]);
});
