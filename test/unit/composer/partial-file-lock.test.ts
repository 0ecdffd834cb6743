// Between making its hidden file and locking it a composer may stand still (a frozen cgroup, a slow disk): the agent
// then finds an empty file that nobody holds, and discards it. strace(1) makes the composer stand still there.
import { expect } from "bun:test";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { openRecovery } from "../../../src/agent/recovery/recover.ts";
import { tryLock } from "../../../src/host/libc.ts";
import { partialName } from "../../../src/model/core-file.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const UUID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const MAKER = join(import.meta.dir, "../../support/partial-maker.ts");

interface SlowComposer {
  /** The hidden file, which stands there and is not locked yet. */
  path: string;
  /** What strace saw of its locking so far. */
  traced: () => string;
  /** What it printed. */
  ended: Promise<string>;
}

/** A composer that stands still for half a second before its first flock(2). */
async function startSlowly(folder: string, traces: string): Promise<SlowComposer> {
  const path = join(folder, partialName(UUID));
  const trace = join(traces, "trace");
  const inject = "inject=flock:delay_enter=500ms:when=1";
  const strace = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=flock", "-e", inject];
  const command = [...strace, process.execPath, MAKER, folder, UUID];
  const composer = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  while (!existsSync(path)) await Bun.sleep(1);
  const ended = new Response(composer.stdout).text();
  return { path, traced: () => readFileSync(trace, "utf8"), ended };
}

function straceTest(name: string, body: (composer: SlowComposer, folder: string) => Promise<void>) {
  const run = () =>
    withFolder((traces) =>
      withFolder(async (folder) => {
        const composer = await startSlowly(folder, traces);
        await body(composer, folder);
        expect(await composer.ended).toBe("T.zip\n");
        expect(readFileSync(join(folder, "T.zip"), "utf8")).toBe("a whole dump");
        expect(readdirSync(folder)).toEqual(["T.zip"]);
      }),
    );
  gatedTest(name, [missingProgram("strace")], run, 60_000);
}

straceTest(
  "a file that the agent discarded before its composer locked it costs no dump",
  async ({ path }, folder) => {
    utimesSync(path, 1, 1); // as if it had stood there for long
    const log = recordedLog();
    await openRecovery(folder, log).run();
    expect(log.names()).toContain("partial_discarded");
  },
);

straceTest(
  "nor does one that the agent holds when its composer comes to lock it",
  async ({ path, traced }) => {
    const held = openSync(path, "r");
    expect(tryLock(held)).toBe(true);
    while (!traced().includes("EAGAIN")) await Bun.sleep(1);
    unlinkSync(path);
    closeSync(held);
  },
);
