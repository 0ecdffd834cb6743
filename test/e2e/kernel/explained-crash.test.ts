// A crash that the composer has explained while it was there: the summary in the zip is what one made later with all
// files at hand would be, also where these are gone by then.
import { expect } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CrashSummary, SummaryFrame } from "../../../src/model/crash-summary.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { openDumpZip } from "../../../src/reading/dump-zip.ts";
import { explainFile, readSummary } from "../../../src/reading/explain-file.ts";
import { readInfo } from "../../../src/reading/info.ts";
import { openFileSource } from "../../../src/store/byte-source.ts";
import { buildCrashes, buildObstacle } from "../../support/crash-builds.ts";
import { readInDebugger } from "../../support/debugged-core.ts";
import { gatedTest, kernelObstacle, missingProgram, mountObstacle } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { runTool } from "../../support/run-tool.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const obstacles = [kernelObstacle(), buildObstacle("c-O0")];

interface ReadDump {
  names: string[];
  info: JsonObject;
  summary: CrashSummary | undefined;
}

async function readDump(path: string): Promise<ReadDump> {
  const source = await openFileSource(path);
  try {
    const zip = await openDumpZip(source);
    const names = zip.entries.map(({ name }) => name.slice(name.lastIndexOf("-")));
    return { names, summary: await readSummary(zip), info: await readInfo(zip) };
  } finally {
    await source.close();
  }
}

function readReport(path: string): Promise<string> {
  return runTool(["unzip", "-p", path, "*-report.html"]);
}

async function run(...command: string[]): Promise<void> {
  await Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] }).exited;
}

const framesOf = (frames: readonly SummaryFrame[] | undefined) =>
  frames?.map(({ address, module, module_offset, trust }) => [
    address,
    module,
    module_offset,
    trust,
  ]);

/** The crashed thread as gdb sees it in the dump's core, with the program that the process no longer has. */
async function debuggedFrames(zip: string, program: string, tid: number | undefined) {
  return withFolder(async (folder) => {
    const core = join(folder, "core");
    await runTool(["sh", "-c", `unzip -p "$0" '*.core' >"$1"`, zip, core]);
    const threads = await readInDebugger(program, core);
    return threads.find((thread) => thread.tid === tid)?.frames.map(({ address }) => address);
  });
}

const functionsOf = (summary: CrashSummary | undefined) =>
  summary?.crashing_thread?.frames.map((frame) => frame.function);

gatedTest("a dump says why it crashed, as one explained later does", obstacles, async () => {
  const program = await buildCrashes("c-O0");
  await withComposer({ EXPLAIN: true, EXPLAIN_TIMEOUT: 30 }, async (composer) => {
    for (const kind of ["null_write", "double_free", "overflow", "handler"])
      await run(program, kind);
    for (const path of await composer.zips(4)) {
      const { names, summary, info } = await readDump(path);
      expect(names.slice(-2)).toEqual(["-summary.json", "-report.html"]);
      const later = await explainFile(path, { sysroot: "/" });
      // Later there may be more names: of symbols that distributions keep elsewhere.
      expect(framesOf(summary?.crashing_thread?.frames)).toEqual(
        framesOf(later.crashing_thread?.frames),
      );
      expect(summary).toMatchObject({
        title: later.title,
        signal: later.signal,
        abort_message: later.abort_message,
        fingerprint: later.fingerprint,
      });
      const { bug, exact } = later.fingerprint;
      expect(info).toMatchObject({ title: later.title, bug, exact, missing: [] });
    }
    const published = (await composer.log()).filter(({ event }) => event === "dump_published");
    expect(published.map(({ title }) => title)).toContain(
      "SIGABRT: double free or corruption (!prev) in free ← close_connection ← main (crashes)",
    );
  });
});

gatedTest("a dump has a page for people, unless COMP_REPORT=false", obstacles, async () => {
  const program = await buildCrashes("c-O0");
  const settings = { EXPLAIN_TIMEOUT: 30, STORE_KEY_TEMPLATE: "{exe_name}/{filename}" };
  await withComposer(settings, async (composer) => {
    await run(program, "threads", "20");
    const [path = "none"] = await composer.zips(1);
    const page = await readReport(path);
    const { summary } = await readDump(path);
    expect(page).toContain(`<h1>${summary?.title}</h1>`);
    expect(page).toContain(`fetch crashes/${basename(path)} --output ${basename(path)}`);
    expect(page).toContain("The fault address lies where nothing is mapped");
    expect(page).toContain("the program counter lies in the program");
    expect(page).toMatch(/the stack pointer lies in the stack of thread \d+/);
    const kinds = Map.groupBy(summary?.memory ?? [], ({ kind }) => kind);
    expect(kinds.get("stack")).toHaveLength(21);
    for (const kind of ["program", "heap", "library"] as const)
      expect(kinds.get(kind)?.length).toBeGreaterThan(0);
  });
  await withComposer({ REPORT: false }, async (composer) => {
    await run(program, "null_write");
    const [path = "none"] = await composer.zips(1);
    expect((await readDump(path)).names.at(-1)).toBe("-summary.json");
  });
});

gatedTest("all threads of a process are told, by their names", obstacles, async () => {
  const program = await buildCrashes("c-O0");
  await withComposer({ EXPLAIN_TIMEOUT: 30 }, async (composer) => {
    await run(program, "threads", "20");
    const [path = "none"] = await composer.zips(1);
    const { summary } = await readDump(path);
    const later = await explainFile(path, { sysroot: "/" });
    const stacks = (found: CrashSummary | undefined) =>
      found?.threads.map(({ count, frames }) => [count, framesOf(frames)]);
    expect(stacks(summary)).toEqual(stacks(later));
    expect(summary?.crashing_thread?.name).toBe("crashes");
  });
});

gatedTest(
  "what glibc wrote before it aborted a static program is kept, too",
  obstacles,
  async () => {
    const program = await buildCrashes("c-static");
    await withComposer({ EXPLAIN_TIMEOUT: 30 }, async (composer) => {
      const texts = {
        double_free: "double free or corruption",
        assert: "check_input: Assertion `count == 1' failed.",
        smash: "stack smashing detected",
      };
      for (const kind of Object.keys(texts)) await run(program, kind);
      const dumps = await Promise.all((await composer.zips(3)).map(readDump));
      const messages = dumps.map(({ summary }) => summary?.abort_message?.text ?? "none");
      for (const text of Object.values(texts))
        expect(messages.some((message) => message.includes(text))).toBe(true);
    });
  },
);

gatedTest(
  "a process whose first thread has ended is told with all its modules",
  obstacles,
  async () => {
    const program = await buildCrashes("c-O0");
    await withComposer({ EXPLAIN_TIMEOUT: 30 }, async (composer) => {
      await run(program, "first_gone");
      const [path = "none"] = await composer.zips(1);
      const { summary, info } = await readDump(path);
      expect(summary?.title).toBe(
        "SIGABRT: double free or corruption (out) in free ← close_connection ← crash_alone (crashes)",
      );
      expect(summary?.incomplete).toEqual([]);
      expect(info["missing"]).toEqual([]);
    });
  },
);

gatedTest("COMP_EXPLAIN=false leaves it out", obstacles, async () => {
  const program = await buildCrashes("c-O0");
  await withComposer({ EXPLAIN: false }, async (composer) => {
    await run(program, "null_write");
    const [path = "none"] = await composer.zips(1);
    const { summary, info } = await readDump(path);
    expect(summary).toBeUndefined();
    expect(info).toMatchObject({ title: null, bug: null, missing: [] });
  });
});

gatedTest(
  "of a process that is not dumpable a summary holds addresses and functions, no memory",
  obstacles,
  () =>
    withFolder(async (folder) => {
      const program = join(folder, "crashes");
      await copyFile(await buildCrashes("c-O0"), program);
      // Who may run a file, but not read it, gets no dumpable process of it.
      await chmod(join(program, ".."), 0o711);
      await chmod(program, 0o711);
      await withComposer({ EXPLAIN_TIMEOUT: 30 }, async (composer) => {
        const child = spawn(program, ["double_free"], {
          uid: 65_534,
          gid: 65_534,
          stdio: "ignore",
        });
        await once(child, "exit");
        const [path = "none"] = await composer.zips(1);
        const { summary, info } = await readDump(path);
        expect(info["dumpable"]).toBe(2);
        expect(functionsOf(summary)).toContain("close_connection");
        expect(summary?.abort_message).toBeNull();
        expect(Object.keys(summary?.crashing_thread?.registers ?? {})).toEqual(["rsp", "rip"]);
      });
    }),
);

gatedTest(
  "a program whose file was deleted is explained with its functions, as gdb sees it with the file",
  [...obstacles, missingProgram("gdb"), missingProgram("unzip")],
  () =>
    withFolder(async (folder) => {
      const [program, gone] = [await buildCrashes("c-O0"), join(folder, "gone")];
      await copyFile(program, gone);
      await withComposer({ EXPLAIN_TIMEOUT: 30 }, async (composer) => {
        await run("sh", "-c", `exec 3< "$0"; rm "$0"; exec /proc/self/fd/3 null_write`, gone);
        const [path = "none"] = await composer.zips(1);
        const { summary } = await readDump(path);
        const { crashing_thread: thread, process, incomplete } = summary ?? {};
        expect(process?.exe).toEndWith("/gone (deleted)");
        expect(functionsOf(summary)).toContain("null_write");
        expect(incomplete).toEqual([]);
        expect(thread?.frames.map(({ address }) => address)).toEqual(
          (await debuggedFrames(path, program, thread?.tid)) ?? [],
        );
      });
    }),
);

gatedTest(
  "a program whose file system is gone with it is explained with its functions, as gdb sees it with the file",
  [...obstacles, mountObstacle(), missingProgram("gdb"), missingProgram("unzip")],
  () =>
    withFolder(async (place) => {
      const script = `set -e
      mount -t tmpfs none "$1"; mkdir "$1/upper" "$1/work" "$1/root"
      mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" none "$1/root"
      cp "$2" "$1/root/only-here"
      exec chroot "$1/root" /only-here double_free`;
      await withComposer({ EXPLAIN_TIMEOUT: 30 }, async (composer) => {
        const program = await buildCrashes("c-O0");
        await run("unshare", "-m", "sh", "-c", script, "sh", place, program);
        const [path = "none"] = await composer.zips(1);
        const { summary } = await readDump(path);
        expect(summary?.process.exe).toBe("/only-here");
        expect(functionsOf(summary)).toContain("close_connection");
        expect(summary?.abort_message?.text).toContain("double free");
        expect(summary?.incomplete).toEqual([]);
        const thread = summary?.crashing_thread;
        expect(thread?.frames.map(({ address }) => address)).toEqual(
          (await debuggedFrames(path, program, thread?.tid)) ?? [],
        );
      });
    }),
);
