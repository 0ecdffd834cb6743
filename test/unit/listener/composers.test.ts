// Composers that end badly, with programs in their place that die at once: no crash is without a line.
import { expect, test } from "bun:test";
import { chmodSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Composers } from "../../../src/listener/composers.ts";
import { parseCrashRecord, type CrashRecord } from "../../../src/model/crash-record.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { withFolder } from "../../support/temporary-folder.ts";

/** The records of a crash that `script` (sh) is started for as its composer; $UUID and $HOST_DIR are its own. */
function recordsOf(script: string): Promise<CrashRecord[]> {
  return withFolder(async (hostDir) => {
    const executable = join(hostDir, "composer");
    writeFileSync(executable, `#!/bin/sh\nHOST_DIR=${hostDir}\nUUID=\${3#--uuid=}\n${script}\n`);
    chmodSync(executable, 0o700);
    const log = recordedLog();
    const composers = new Composers({ hostDir, procRoot: "/proc", executable, log });
    composers.take(openSync("/dev/null", "r"), process.pid, () => undefined);
    await composers.settled();
    const path = join(hostDir, "composer.log");
    const lines = existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
    return lines.flatMap((line) => parseCrashRecord(line) ?? []);
  });
}

test("of a composer that dies without a word its starter records how it ended, and its last words", async () => {
  const records = await recordsOf("echo first >&2; echo boom >&2; exit 7");
  expect(records.map(({ event }) => event)).toEqual(["dump_started", "dump_failed"]);
  expect(records[0]).toMatchObject({ source: "socket", host_pid: process.pid });
  expect(records[1]).toMatchObject({ error: "the composer ended with code 7: boom" });
});

test("of one that a signal ends, the signal", async () => {
  const records = await recordsOf("kill -ABRT $$");
  expect(records[1]).toMatchObject({ error: "the composer ended by SIGABRT" });
});

test("what it writes to stderr neither stops it nor grows here", async () => {
  const records = await recordsOf("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1");
  expect(records[1]).toMatchObject({
    error: expect.stringMatching(/^the composer ended with code 1: x{300}$/),
  });
});

const line = (event: string) =>
  `echo '{"time":"2026-01-01T00:00:00Z","level":"info","event":"${event}","uuid":"'$UUID'"}' >>$HOST_DIR/composer.log`;

test("what the composer has recorded itself is not recorded again", async () => {
  const records = await recordsOf(`${line("dump_started")}; ${line("dump_failed")}; exit 1`);
  expect(records.map(({ event }) => event)).toEqual(["dump_started", "dump_failed"]);
});

test("a start is not recorded twice, and an end that is another crash's is none", async () => {
  const other = line("dump_failed").replace("'$UUID'", "another");
  const records = await recordsOf(`${line("dump_started")}; ${other}; exit 1`);
  expect(records.map(({ event }) => event)).toEqual(["dump_started", "dump_failed", "dump_failed"]);
  expect(records[2]?.uuid).toBe(records[0]?.uuid ?? "");
});

test("a dump that it left under way is the agent's to seal: it has not failed", async () => {
  const leave = "mkdir $HOST_DIR/cores; echo x >$HOST_DIR/cores/.cdh-$UUID.partial; kill -KILL $$";
  const records = await recordsOf(`${line("dump_started")}; ${leave}`);
  expect(records.map(({ event }) => event)).toEqual(["dump_started"]);
});

test("a composer that ends in good order leaves its story to itself", async () => {
  expect(await recordsOf("exit 0")).toEqual([]);
  expect(await recordsOf("exit 32")).toEqual([]);
});
