// A share with Windows' rules for names (NTFS): every dump gets there, and a name that it refuses is that file's own.
import { expect } from "bun:test";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { openDelivery } from "../../../src/agent/delivery/delivery.ts";
import { journalPathOf, newJournal } from "../../../src/agent/delivery/journal.ts";
import { renderDumpName, DEFAULT_TEMPLATE } from "../../../src/model/dump-name.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { gatedTest } from "../../support/gate.ts";
import { mountNtfs, ntfsObstacle } from "../../support/ntfs-share.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { storeSettings } from "../../support/store-settings.ts";

const never = new AbortController().signal;
const SMALL = { coreBytes: 1000 };

function openShare(changes: Record<string, string> = {}) {
  const share = mountNtfs();
  const log = recordedLog();
  const settings = storeSettings({ STORE_URL: pathToFileURL(share).href, ...changes });
  return { share, log, delivery: openDelivery(settings, log) };
}

/** What an agent of an earlier version, which would have kept the colon, had written beside the dump. */
function writeEarlierJournal(path: string): void {
  const { size, mtimeMs, ino } = statSync(path);
  const file = { sizeBytes: size, mtimeMs, inode: ino };
  const journal = { ...newJournal(file, basename(path)), attempts: 9 };
  writeFileSync(journalPathOf(path), JSON.stringify(journal));
}

function zipsIn(share: string): string[] {
  const paths = readdirSync(share, { recursive: true, encoding: "utf8" });
  return paths.filter((path) => path.endsWith(".zip"));
}

gatedTest(
  "a dump that was named with a colon before, by its thread (Envoy's wrk:worker_0), is delivered",
  [ntfsObstacle()],
  async () => {
    const { share, log, delivery } = openShare();
    const folder = temporaryFolder();
    for (const name of ["a-wrk:worker_0.zip", "b-wrk:worker_0.zip"]) writeDump(folder, name, SMALL);
    const tried = join(folder, "b-wrk:worker_0.zip");
    writeEarlierJournal(tried);
    const sha256 = await sha256Of(tried);
    for (const name of readdirSync(folder).filter((entry) => entry.endsWith(".zip")))
      expect((await delivery.deliver(join(folder, name), never)).kind).toBe("delivered");
    expect(readdirSync(share).sort()).toEqual(["a-wrk_worker_0.zip", "b-wrk_worker_0.zip"]);
    expect(await sha256Of(join(share, "b-wrk_worker_0.zip"))).toBe(sha256);
    expect(readdirSync(folder)).toEqual([]);
    expect(log.names().filter((name) => name === "key_refused")).toHaveLength(1);
  },
);

gatedTest(
  "whatever a process, a pod or a namespace calls itself, the share takes the name",
  [ntfsObstacle()],
  async () => {
    const { share, delivery } = openShare({
      STORE_KEY_TEMPLATE: "{namespace}/{exe_name}/{filename}",
    });
    const names = ["con", "NUL", "com1", "lpt9.x", "aux", "prn ", 'a*?"<>|\\b', "dot.", " ", "ü:é"];
    for (const [index, exe_name] of names.entries()) {
      const values = { ...VALUES, exe_name, uuid: `u${index}` };
      const base = renderDumpName(index % 2 === 0 ? DEFAULT_TEMPLATE : "{exe_name}", values);
      const info = { exe: exe_name, namespace: exe_name };
      const path = writeDump(temporaryFolder(), `${base}.zip`, { coreBytes: 10, info });
      expect(await delivery.deliver(path, never)).toMatchObject({ kind: "delivered" });
      expect(existsSync(path)).toBe(false);
    }
    expect(zipsIn(share)).toHaveLength(names.length);
  },
);

gatedTest(
  "a folder of the key's own text that the share refuses is replaced, and holds up no other dump",
  [ntfsObstacle()],
  async () => {
    const { share, delivery } = openShare({ STORE_KEY_TEMPLATE: "cores: new/{filename}" });
    for (const name of ["T.zip", "U.zip"]) {
      const path = writeDump(temporaryFolder(), name, SMALL);
      expect((await delivery.deliver(path, never)).kind).toBe("delivered");
    }
    expect(zipsIn(share).sort()).toEqual(["cores__new/T.zip", "cores__new/U.zip"]);
  },
);

const VALUES = {
  uuid: "u",
  timestamp: "1700000000",
  hostname: "web-1",
  exe_name: "server",
  pid: "7",
  signal: "11",
  limit_size: "0",
  pathname: "!usr!bin!server",
  namespace: "default",
  podname: "web-1",
  fingerprint: "0123456789abcdef",
};
