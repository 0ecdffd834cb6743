import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { boundEvents } from "../../../../src/agent/recovery/event-files.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const ROOMY = { count: 1000, bytes: 2 ** 30 };

/** Writes events of a namespace, from the oldest on; their names. */
function writeEvents(folder: string, namespace: string | null, count: number, padding = "") {
  return Array.from({ length: count }, (_, i) => {
    const name = `${crypto.randomUUID()}-event.json`;
    writeFileSync(join(folder, name), JSON.stringify({ namespace, padding }));
    utimesSync(join(folder, name), 1000 + i, 1000 + i);
    return name;
  });
}

test("below its limits nothing is touched, nor said", () =>
  withFolder(async (folder) => {
    const names = writeEvents(folder, "a", 20);
    const log = recordedLog();
    await boundEvents(folder, log, ROOMY);
    await boundEvents(join(folder, "missing"), log, ROOMY);
    expect(readdirSync(folder).toSorted()).toEqual(names.toSorted());
    expect(log.names()).toEqual([]);
  }));

test("of too many the oldest of the namespace with the most go, down to nine tenths", () =>
  withFolder(async (folder) => {
    const honest = writeEvents(folder, "honest", 5);
    const hostile = writeEvents(folder, "hostile", 30);
    const log = recordedLog();
    await boundEvents(folder, log, { ...ROOMY, count: 20 });
    const left = new Set(readdirSync(folder));
    expect(left.size).toBe(18);
    for (const name of honest) expect(left).toContain(name);
    for (const name of hostile.slice(-13)) expect(left).toContain(name);
    expect(log.events).toMatchObject([
      { event: "events_removed", fields: { namespace: "hostile", files: 17 } },
    ]);
  }));

test("of too many bytes the same, and the newest of each namespace stays", () =>
  withFolder(async (folder) => {
    const small = writeEvents(folder, "small", 3);
    const large = writeEvents(folder, "large", 10, "x".repeat(10_000));
    await boundEvents(folder, recordedLog(), { ...ROOMY, bytes: 50_000 });
    const left = new Set(readdirSync(folder));
    for (const name of small) expect(left).toContain(name);
    expect(large.filter((name) => left.has(name))).toEqual(large.slice(-4));
  }));

test("what is no event of ours is left alone, whatever it is", () =>
  withFolder(async (folder) => {
    const foreign = ["readme", "x-event.json", `${crypto.randomUUID()}-event.json.new`];
    for (const name of foreign) writeFileSync(join(folder, name), "{}");
    const link = `${crypto.randomUUID()}-event.json`;
    symlinkSync("/etc/passwd", join(folder, link));
    const directory = `${crypto.randomUUID()}-event.json`;
    mkdirSync(join(folder, directory));
    for (let i = 0; i < 5; i++)
      writeFileSync(join(folder, `${crypto.randomUUID()}-event.json`), "no JSON");
    await boundEvents(folder, recordedLog(), { ...ROOMY, count: 2 });
    const left = readdirSync(folder);
    expect(left).toEqual(expect.arrayContaining([...foreign, link, directory]));
    expect(left).toHaveLength(foreign.length + 2 + 1);
  }));
