import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sweepFile, sweepFolder, tellForeignFiles } from "../../../../src/agent/sweep/sweep.ts";
import { openLog } from "../../../../src/host/log.ts";
import { markOwner } from "../../../../src/host/owner-mark.ts";
import { failureOf } from "../../../support/failure.ts";
import { fakeDelivery } from "../../../support/fake-delivery.ts";

let coreDir: string;
let lines: string[];
beforeEach(() => {
  coreDir = mkdtempSync(join(tmpdir(), "cores-"));
  lines = [];
});
afterEach(() => rmSync(coreDir, { recursive: true, force: true }));

function context(delivery = fakeDelivery(), signal = new AbortController().signal) {
  const log = openLog({ level: "Debug", format: "text", write: (line) => lines.push(line) });
  return { coreDir, delivery, log, signal };
}

function dump(name: string, ageSeconds: number, namespace = "shop"): void {
  writeFileSync(join(coreDir, name), "zip");
  const fd = openSync(join(coreDir, name), "r");
  markOwner(fd, { namespace, workload: name });
  closeSync(fd);
  const time = Date.now() / 1000 - ageSeconds;
  utimesSync(join(coreDir, name), time, time);
}

test("every finished dump is handed over, the oldest first, and nothing else", async () => {
  dump("new.zip", 1);
  dump("old.zip", 100);
  dump("notes.txt", 5);
  dump(".cdh-0f8fad5b-d9cb-469f-a165-70867728950e.partial", 5);
  dump(".old.zip.upload.json", 5);
  mkdirSync(join(coreDir, "folder.zip"));
  symlinkSync("/etc/passwd", join(coreDir, "link.zip"));
  const delivery = fakeDelivery();
  const report = await sweepFolder(context(delivery));
  expect(delivery.given).toEqual(["old.zip", "new.zip"]);
  expect(report).toEqual({ delivered: 2, busy: 0, waiting: 0, failed: 0, nextRetryMs: undefined });
});

test("the command names what it did not deliver, and leaves it", async () => {
  dump("a.zip", 1);
  dump("notes.txt", 1);
  await tellForeignFiles(coreDir, context().log);
  expect(lines).toEqual([expect.stringContaining("notes.txt")]);
});

test("a namespace with very many dumps holds up another's by one at a time", async () => {
  for (let age = 1; age <= 9; age++) dump(`mallory-${age}.zip`, 100 + age, "mallory");
  dump("victim-1.zip", 2, "victim");
  dump("victim-2.zip", 1, "victim");
  const delivery = fakeDelivery();
  await sweepFolder(context(delivery));
  expect(delivery.given.slice(0, 4)).toEqual([
    "mallory-9.zip",
    "victim-1.zip",
    "mallory-8.zip",
    "victim-2.zip",
  ]);
  expect(delivery.given).toHaveLength(11);
});

test("a dump that comes during a long sweep has its turn in it", async () => {
  for (let age = 1; age <= 5; age++) dump(`mallory-${age}.zip`, 100 + age, "mallory");
  const take = async (name: string): Promise<{ kind: "delivered"; key: string; sizeBytes: 1 }> => {
    rmSync(join(coreDir, name));
    return { kind: "delivered", key: name, sizeBytes: 1 };
  };
  const answers = Object.fromEntries(
    [1, 2, 3, 4, 5].map((age) => [`mallory-${age}.zip`, () => take(`mallory-${age}.zip`)]),
  );
  const first = async () => {
    dump("victim.zip", 1, "victim");
    return take("mallory-5.zip");
  };
  const later = { "mallory-5.zip": first, "victim.zip": () => take("victim.zip") };
  const delivery = fakeDelivery({ ...answers, ...later });
  await sweepFolder({ ...context(delivery), listingMaxMs: -1 });
  expect(delivery.given.slice(0, 3)).toEqual(["mallory-5.zip", "victim.zip", "mallory-4.zip"]);
  expect(delivery.given).toHaveLength(6);
});

test("a dump that cannot be delivered does not hold up the others", async () => {
  for (const [index, name] of ["a.zip", "b.zip", "c.zip", "d.zip"].entries()) dump(name, 9 - index);
  const delivery = fakeDelivery({
    "a.zip": { kind: "failed", error: new Error("no\nbucket"), retryAtMs: 5000 },
    "b.zip": new Error("a bug"),
    "c.zip": { kind: "waiting", retryAtMs: 3000 },
  });
  const report = await sweepFolder(context(delivery));
  expect(delivery.given).toEqual(["a.zip", "b.zip", "c.zip", "d.zip"]);
  expect(report).toMatchObject({ delivered: 1, waiting: 1, failed: 2, nextRetryMs: 3000 });
  expect(lines.some((line) => line.includes('error="no\\\\u000abucket"'))).toBe(true);
});

test("a dump that another process still holds is tried again soon, not at the next trigger", async () => {
  dump("a.zip", 1);
  const report = await sweepFolder(context(fakeDelivery({ "a.zip": { kind: "busy" } })));
  expect(report.busy).toBe(1);
  expect(report.nextRetryMs).toBeLessThan(Date.now() + 10_000);
});

test("one that has just been published is about to be let go of, and waits no two seconds", async () => {
  dump("a.zip", 1);
  const beganMs = Date.now();
  const report = await sweepFolder(context(fakeDelivery({ "a.zip": { kind: "busy" } })));
  expect((report.nextRetryMs ?? Infinity) - Date.now()).toBeLessThan(1000);
  expect(report.nextRetryMs).toBeGreaterThan(beganMs);
});

test("a stop lets the dump under way end and starts no other", async () => {
  dump("a.zip", 2);
  dump("b.zip", 1);
  const stop = new AbortController();
  const delivery = fakeDelivery({
    "a.zip": async () => {
      stop.abort();
      return { kind: "delivered", key: "a.zip", sizeBytes: 1 };
    },
  });
  const report = await sweepFolder(context(delivery, stop.signal));
  expect(delivery.given).toEqual(["a.zip"]);
  expect(report.delivered).toBe(1);
});

test("no CORE_DIR is no dumps", async () => {
  rmSync(coreDir, { recursive: true });
  expect((await sweepFolder(context())).delivered).toBe(0);
});

test("one dump is swept by its path or by its name", async () => {
  dump("a.zip", 1);
  dump("b.zip", 1);
  const delivery = fakeDelivery();
  await sweepFile("b.zip", context(delivery));
  await sweepFile(join(coreDir, "a.zip"), context(delivery));
  expect(delivery.given).toEqual(["b.zip", "a.zip"]);
});

test.each([
  "none.zip",
  ".cdh-0f8fad5b-d9cb-469f-a165-70867728950e.partial",
  "notes.txt",
  "link.zip",
])("%s is refused as no finished dump", async (name) => {
  if (name === "link.zip") symlinkSync("/etc/passwd", join(coreDir, name));
  else if (name !== "none.zip") dump(name, 1);
  const delivery = fakeDelivery();
  expect(await failureOf(sweepFile(name, context(delivery)))).toContain(join(coreDir, name));
  expect(delivery.given).toEqual([]);
});

test("what vanished files left at the store is looked for once a sweep, and logged as one event", async () => {
  let asked = 0;
  const reclaim = async () => ++asked;
  await sweepFolder(context({ ...fakeDelivery(), reclaim }));
  expect(asked).toBe(1);
  expect(lines.filter((line) => line.includes("reclaim"))).toEqual([
    expect.stringMatching(/uploads_reclaimed .*count=1/),
  ]);
});

test("a store that cannot be asked for it holds up no dump", async () => {
  dump("a.zip", 1);
  const delivery = { ...fakeDelivery(), reclaim: () => Promise.reject(new Error("away")) };
  expect(await sweepFolder(context(delivery))).toMatchObject({ delivered: 1 });
  expect(lines.filter((line) => line.includes("reclaim"))).toEqual([
    expect.stringContaining("uploads_not_reclaimed"),
  ]);
});
