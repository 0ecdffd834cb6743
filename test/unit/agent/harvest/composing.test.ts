// Composers of core files that end badly, with programs in their place that die at once.
import { expect, test } from "bun:test";
import { chmodSync, closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { composeCore } from "../../../../src/agent/harvest/composing.ts";
import type { FoundCore } from "../../../../src/agent/harvest/found-core.ts";
import { parseCoreFileName } from "../../../../src/model/core-file-pattern.ts";
import { parseCrashRecord } from "../../../../src/model/crash-record.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const NAME = ".cdh-core.700.701.7.11.1700000000.0.0.0.1.server~web-1";

/** What becomes of a core whose composer is `script` (sh), and composer.log after it. */
function compose(script: string) {
  return withFolder(async (hostDir) => {
    const executable = join(hostDir, "composer");
    writeFileSync(executable, `#!/bin/sh\n${script}\n`);
    chmodSync(executable, 0o700);
    const input = openSync("/dev/null", "r");
    const facts = parseCoreFileName(NAME);
    const composed = await composeCore(
      {
        settings: {
          HOST_DIR: hostDir,
          CORE_DIR: join(hostDir, "cores"),
          NODE_NAME: "",
          POD_NAME: "",
          composer: { TIMEOUT: 60 },
        },
        executable,
      },
      { facts } as FoundCore,
      input,
      { container: undefined, pod: null },
      false,
    );
    closeSync(input);
    const log = join(hostDir, "composer.log");
    const lines = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
    return { composed, records: lines.map(parseCrashRecord) };
  });
}

test("of a composer that dies without a record the agent records the crash and how it ended", async () => {
  const { composed, records } = await compose("echo boom >&2; kill -SEGV $$");
  const why = "the composer ended by SIGSEGV: boom";
  expect(composed).toEqual({ kind: "failed", why });
  expect(records).toMatchObject([
    { event: "dump_started", source: "file", exe: "server", host_pid: 700 },
    { event: "dump_failed", error: why },
  ]);
});

test("a core that is taken, or that no zip can hold, has its composer's records and no others", async () => {
  expect(await compose("exit 0")).toEqual({ composed: { kind: "done" }, records: [] });
  expect((await compose("exit 33")).records).toEqual([]);
});
