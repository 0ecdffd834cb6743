// A crash of which the composer cannot even learn whose it is. The composer runs as a process of its own: at a socket
// it makes itself undumpable.
import { expect, test } from "bun:test";
import { closeSync, existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { acceptConnection, listenAt } from "../../../src/host/coredump-socket.ts";
import { parseCrashRecord, type CrashRecord } from "../../../src/model/crash-record.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const MAIN = join(import.meta.dir, "../../../src/main.ts");
const UUID = "3b3b0a5e-0c4d-4a43-9a2b-6f3f0b6f2d11";

interface Ended {
  exitCode: number | null;
  records: (CrashRecord | undefined)[];
}

/** The composer's end with `opening` as the first bytes of what connects to it as the kernel does. */
function composeFrom(opening: Uint8Array, ...options: string[]): Promise<Ended> {
  return withFolder(async (hostDir) => {
    const listener = listenAt(join(hostDir, "kernel.sock"), 1);
    const kernel = connect(join(hostDir, "kernel.sock"));
    kernel.on("error", () => undefined).end(opening);
    const connection = acceptConnection(listener) ?? -1;
    const argv = [`--host-dir=${hostDir}`, "--source=socket", ...options];
    const child = Bun.spawn([process.execPath, MAIN, "composer", ...argv], {
      env: {},
      stdio: [connection, "ignore", "ignore"],
    });
    closeSync(connection);
    closeSync(listener);
    await child.exited;
    kernel.destroy();
    const log = join(hostDir, "composer.log");
    const lines = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
    return { exitCode: child.exitCode, records: lines.map(parseCrashRecord) };
  });
}

test("a kernel that says nothing of a dump costs its crash, but not the crash's lines", async () => {
  const { exitCode, records } = await composeFrom(new Uint8Array(64));
  expect(exitCode).toBe(2);
  expect(records.map((record) => record?.event)).toEqual(["dump_started", "dump_failed"]);
  expect(records[1]).toMatchObject({
    error: expect.stringContaining("no connection of the kernel's coredump socket"),
  });
  expect(records[1]?.uuid).toBe(records[0]?.uuid ?? "");
});

test("whoever started the composer finds its lines by the uuid", async () => {
  const { records } = await composeFrom(new Uint8Array(64), `--uuid=${UUID}`);
  expect(records.map((record) => record?.uuid)).toEqual([UUID, UUID]);
});
