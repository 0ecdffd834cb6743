// Crashes on arm64, under a kernel of its own, by our arm64 executable: every dump has a summary whose stacks are those
// that gdb sees in the same core, and one bug has one id in all builds.
import { expect } from "bun:test";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { planCorePattern } from "../../../src/model/core-pattern.ts";
import { formatEnvFile } from "../../../src/model/env-file.ts";
import type { CrashSummary } from "../../../src/model/crash-summary.ts";
import { openDumpZip } from "../../../src/reading/dump-zip.ts";
import { readSummary } from "../../../src/reading/explain-file.ts";
import { openFileSource } from "../../../src/store/byte-source.ts";
import { buildCrashes, buildObstacle, type CrashBuild } from "../../support/crash-builds.ts";
import { readForeignCore, type DebuggedThread } from "../../support/debugged-core.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { bootGuest, guestObstacle, makeGuestRoot } from "../../support/guest.ts";
import { ARM64_GUEST } from "../../support/guest-machine.ts";
import { runTool } from "../../support/run-tool.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const INIT = join(import.meta.dir, "../../fixtures/guest/explain-init.sh");
const C = "null_write double_free overflow handler call_null past_end assert trap threads".split(
  " ",
);
const CRASHES: readonly { build: CrashBuild; kinds: readonly string[] }[] = [
  { build: "c-aarch64-dynamic", kinds: C },
  { build: "c-aarch64", kinds: C },
  { build: "c-aarch64-clang-O2", kinds: C },
  { build: "go-aarch64", kinds: ["goroutine", "panic"] },
];

/** gdb does not know Go's way to the handler, and ends there. */
const GDB_ERRS = /^\/go-aarch64\/.*__kernel_rt_sigreturn, gdb undefined/u;

interface Found {
  agreed: number;
  threads: number;
  differences: string[];
}

interface GuestDump {
  summary: CrashSummary;
  core: string;
}

async function readDump(folder: string, index: number, base64: string): Promise<GuestDump> {
  const [zip, core] = [join(folder, `${index}.zip`), join(folder, `${index}.core`)];
  await writeFile(zip, Buffer.from(base64, "base64"));
  await runTool(["sh", "-c", `unzip -p "$0" '*.core' >"$1"`, zip, core]);
  const source = await openFileSource(zip);
  try {
    const summary = await readSummary(await openDumpZip(source));
    if (summary === undefined) throw new Error(`dump ${index} has no summary`);
    return { core, summary };
  } finally {
    await source.close();
  }
}

gatedTest(
  "arm64: a dump's stacks are those that gdb sees",
  [
    guestObstacle(ARM64_GUEST),
    missingProgram("gdb-multiarch"),
    missingProgram("unzip"),
    ...CRASHES.map(({ build }) => buildObstacle(build)),
  ],
  () =>
    withFolder(async (folder) => {
      const root = await makeGuestRoot(folder, INIT, "h/cdc", ARM64_GUEST);
      await mkdir(join(root, "h/cores"));
      await writeFile(join(root, "pattern"), planCorePattern("/h", "/h/cores"));
      // Its disk is its memory, and every instruction is emulated.
      const room = { DISK_QUOTA: "100%", DISK_FREE: "0", DISK_RESERVE: "0", CRASH_LOOP_LIMIT: 0 };
      const settings = { CORE_DIR: "/h/cores", IGNORE_CRIO: true, EXPLAIN_TIMEOUT: 60, ...room };
      await writeFile(join(root, "h/.env"), formatEnvFile(settings));
      const commands: string[] = [];
      for (const { build, kinds } of CRASHES) {
        await mkdir(join(root, build));
        await copyFile(await buildCrashes(build), join(root, build, "crashes"));
        commands.push(...kinds.map((kind) => `/${build}/crashes ${kind}`));
      }
      await writeFile(join(root, "crashes"), `${commands.join("\n")}\n`);
      const said = await bootGuest(folder, root, ARM64_GUEST);
      const dumps = [...said.matchAll(/^DUMP (\d+) (\S+)$/gmu)];
      expect(dumps).toHaveLength(commands.length);
      const all: Found = { agreed: 0, threads: 0, differences: [] };
      const ids = new Map<string, Set<string>>();
      for (const [, number, base64 = ""] of dumps) {
        const { summary, core } = await readDump(folder, Number(number), base64);
        const [program = "", kind = ""] = commands[Number(number)]?.split(" ") ?? [];
        expect(summary.process.exe).toBe(program);
        ids.set(kind, (ids.get(kind) ?? new Set()).add(summary.fingerprint.bug));
        const found = compare(summary, await readForeignCore(join(root, program), core, root));
        all.agreed += found.agreed;
        all.threads += found.threads;
        all.differences.push(...found.differences.map((line) => `${program} ${kind} ${line}`));
      }
      console.log(
        [`arm64: ${all.agreed} of ${all.threads} threads agree`, ...all.differences].join("\n"),
      );
      expect(all.differences.filter((line) => !GDB_ERRS.test(line))).toEqual([]);
      expect([...ids].filter(([, known]) => known.size > 1)).toEqual([]);
      expect(new Set([...ids.values()].flatMap((known) => [...known])).size).toBe(ids.size);
    }),
);

function compare(summary: CrashSummary, theirs: readonly DebuggedThread[]): Found {
  const found: Found = { agreed: 0, threads: 0, differences: [] };
  if (summary.crashing_thread === null) throw new Error("no thread crashed");
  expect(summary.crashing_thread.frames.length).toBeGreaterThan(1);
  for (const { tid, frames } of [summary.crashing_thread, ...summary.threads]) {
    found.threads++;
    const debugged = theirs.find((thread) => thread.tid === tid)?.frames ?? [];
    const at = frames.findIndex(({ address }, place) => address !== debugged[place]?.address);
    if (at === -1) found.agreed++;
    else {
      const [ours, other] = [frames[at], debugged[at]];
      found.differences.push(
        `#${at}: ${ours?.address} ${ours?.function}, gdb ${other?.address} ${other?.name}`,
      );
    }
  }
  return found;
}
