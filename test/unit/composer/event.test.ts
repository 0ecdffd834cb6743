import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { planEventFile, writeEvent, type PublishedDump } from "../../../src/composer/event.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const DUMP: PublishedDump = {
  uuid: "0b3e6f2a-6a4c-4a8e-9a3b-4d9f6f6f2c11",
  zipName: "T.zip",
  crash: {
    hostPid: 4242,
    hostTid: 4242,
    pid: 7,
    signal: 11,
    timestampSeconds: 1_700_000_000,
    limitSize: "18446744073709551615",
    uid: 0,
    gid: 0,
    dumpable: 1,
    pidfd: null,
    hostname: "web-0",
    exeName: 'a "hostile"\nname',
    pathname: "!usr!bin!app",
  },
  namespace: "default",
  facts: { imageList: ["registry/app@sha256:00"], labels: { "info.coredump.owner": "me" } },
  why: {
    title: "SIGSEGV in f ← main (app)",
    crash_function: "f",
    bug: "0123456789abcdef",
    exact: "fedcba9876543210",
  },
};

test("a namespace is a text, also where it is not known", () => {
  expect(planEventFile({ ...DUMP, namespace: null }).namespace).toBe("unknown");
});

test("the event holds the contract's keys, as text", () => {
  expect(planEventFile(DUMP)).toEqual({
    image_list: ["registry/app@sha256:00"],
    key: "T.zip",
    exe_path: "!usr!bin!app",
    labels: { "info.coredump.owner": "me" },
    limit_size: "18446744073709551615",
    exe_name: 'a "hostile"\nname',
    pid: "7",
    signal: "11",
    timestamp: "1700000000",
    hostname: "web-0",
    namespace: "default",
    uuid: DUMP.uuid,
    title: "SIGSEGV in f ← main (app)",
    crash_function: "f",
    bug: "0123456789abcdef",
    exact: "fedcba9876543210",
  });
});

test("it is written whole, private and under its uuid, with the directory where that is missing", () =>
  withFolder(async (folder) => {
    const directory = join(folder, "a/b");
    await writeEvent(directory, DUMP);
    expect(readdirSync(directory)).toEqual([`${DUMP.uuid}-event.json`]);
    const path = join(directory, `${DUMP.uuid}-event.json`);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(planEventFile(DUMP));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  }));

test("without metadata there is an event all the same", () => {
  const bare = planEventFile({ ...DUMP, namespace: null, facts: { imageList: [], labels: {} } });
  expect(bare).toMatchObject({ image_list: [], labels: {}, namespace: "unknown", key: "T.zip" });
});

test("an event has an end, whatever a pod's makers wrote into its description", () => {
  const labels = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, i) => [`info.coredump/${i}`, "x".repeat(5_000)]),
  );
  const imageList = Array.from({ length: 32 }, () => "y".repeat(100_000));
  const event = planEventFile({ ...DUMP, facts: { imageList, labels } });
  expect(JSON.stringify(event).length).toBeLessThan(256 * 1024);
  expect(event.image_list).toHaveLength(32);
});
