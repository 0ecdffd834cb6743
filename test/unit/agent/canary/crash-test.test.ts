import { appendFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { runCrashTest } from "../../../../src/agent/canary/crash-test.ts";
import { readAgentSettings } from "../../../../src/config/agent-settings.ts";
import { failureOf } from "../../../support/failure.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const HOST = "second-crash-test";
const ZIP = "u-1-dump.zip";

interface Scene {
  /** Appends lines to the node's composer.log, as a composer does. */
  say: (record: object) => Promise<void>;
  coreDir: string;
}

/** Runs the test on a node of its own, whose composer does what `crash` says. */
async function tryOn(
  crash: (scene: Scene) => Promise<void>,
  variables: Record<string, string> = { USE_INOTIFY: "true" },
): Promise<string[]> {
  return withFolder(async (folder) => {
    const coreDir = join(folder, "cores");
    await mkdir(coreDir);
    const say = async (record: object) =>
      appendFile(
        join(folder, "composer.log"),
        `${JSON.stringify({ time: new Date().toISOString(), uuid: "u-1", ...record })}\n`,
      );
    const log = recordedLog();
    const settings = readAgentSettings({ HOST_DIR: folder, CORE_DIR: coreDir, ...variables });
    const timing = { timeoutMs: 300, pollMs: 5 };
    await say({
      event: "dump_started",
      hostname: HOST,
      signal: 3,
      time: "2020-01-01T00:00:00Z",
      uuid: "old",
    });
    await runCrashTest({
      settings,
      log,
      ...timing,
      host: HOST,
      crash: async () => crash({ say, coreDir }),
    });
    return log.names();
  });
}

test("a dump that is published and then leaves the node passes", async () => {
  const events = await tryOn(async ({ say, coreDir }) => {
    await writeFile(join(coreDir, ZIP), "zip");
    await say({ event: "dump_started", hostname: HOST, signal: 3 });
    await say({ event: "dump_published", zip: ZIP, core_complete: true });
    setTimeout(() => void rm(join(coreDir, ZIP)), 30);
  });
  expect(events).toEqual(["crash_test_crashed", "crash_test_published", "crash_test_passed"]);
});

test("with uploads off, a published dump is enough", async () => {
  const events = await tryOn(async ({ say, coreDir }) => {
    await writeFile(join(coreDir, ZIP), "zip");
    await say({ event: "dump_started", hostname: HOST, signal: 3 });
    await say({ event: "dump_published", zip: ZIP });
  }, {});
  expect(events).toContain("crash_test_passed");
});

test("a dump that stays is a failure that names it", async () => {
  const stays = tryOn(async ({ say, coreDir }) => {
    await writeFile(join(coreDir, ZIP), "zip");
    await say({ event: "dump_started", hostname: HOST, signal: 3 });
    await say({ event: "dump_published", zip: ZIP });
  });
  expect(await failureOf(stays)).toContain(`${ZIP} was not delivered`);
});

test("a crash that no composer saw is a failure, whatever older or other crashes there were", async () => {
  const other = tryOn(async ({ say }) =>
    say({ event: "dump_started", hostname: "another-pod", signal: 3 }),
  );
  expect(await failureOf(other)).toContain("no composer was started");
  const canary = tryOn(async ({ say }) =>
    say({ event: "dump_started", hostname: HOST, signal: 11, canary: true }),
  );
  expect(await failureOf(canary)).toContain("no composer was started");
});

test("a dump that is skipped is a failure with the composer's reason", async () => {
  const skipped = tryOn(async ({ say }) => {
    await say({ event: "dump_started", hostname: HOST, signal: 3 });
    await say({ event: "dump_skipped", reason: "namespace observe is in NAMESPACE_EXCLUDE" });
  });
  expect(await failureOf(skipped)).toContain("is in NAMESPACE_EXCLUDE");
});
