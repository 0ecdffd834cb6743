import { expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runComposer } from "../../../src/composer/run.ts";
import { failureOf } from "../../support/failure.ts";
import { gatedTest } from "../../support/gate.ts";
import { judgeZips } from "../../support/many-zips.ts";
import { withPipe } from "../../support/piped-input.ts";
import { CRASH_ARGS } from "../../support/sample-crash.ts";
import { sampleCore } from "../../support/sample-core.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const CORE = sampleCore(700_000, 11);

interface Ran {
  exitCode: number;
  /** Events of composer.log, in order. */
  events: unknown[];
  files: string[];
  dumps: Awaited<ReturnType<typeof judgeZips>>;
}

/** Runs the composer in a folder of its own on what the script writes. */
function run(env: string, script = "cat core", args: string[] = []): Promise<Ran> {
  return withFolder(async (hostDir) => {
    writeFileSync(join(hostDir, "core"), CORE);
    writeFileSync(join(hostDir, ".env"), `IGNORE_CRIO=true\n${env}\n`);
    const exitCode = await withPipe(hostDir, script, ({ fd }) =>
      runComposer([...CRASH_ARGS, ...args], hostDir, fd),
    );
    const cores = join(hostDir, "cores");
    return {
      exitCode,
      events: readLog(hostDir).map(({ event }) => event),
      files: readdirSync(cores),
      dumps: await judgeZips(cores),
    };
  });
}

function readLog(hostDir: string): Record<string, unknown>[] {
  const lines = readFileSync(join(hostDir, "composer.log"), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const NAME = "web-1-server";
/** However full the disk is that the test's folder is on. */
const NO_LIMITS = "DISK_QUOTA=100%\nDISK_FREE=0\nDISK_RESERVE=0";
const TEMPLATE = `FILENAME_TEMPLATE={hostname}-{exe_name}\n${NO_LIMITS}`;

gatedTest(
  "a core becomes a zip of it, of what is known and of a report, told in the log from start to end",
  [readersObstacle()],
  async () => {
    const { exitCode, events, files, dumps } = await run(TEMPLATE);
    expect([exitCode, events, files]).toEqual([
      0,
      ["dump_started", "dump_published"],
      [`${NAME}.zip`],
    ]);
    expect(dumps[`${NAME}.zip`]).toMatchObject({
      bad: null,
      names: [`${NAME}-dump-info.json`, `${NAME}.core`, `${NAME}-report.html`],
      info: {
        core_complete: true,
        core_bytes: CORE.length,
        dump_file: `${NAME}.core`,
        exe: "server",
        real_pid: "7",
        signal: "11",
        timestamp: "1700000000",
        hostname: "web-1",
        path: "!usr!bin!server",
        settings_ignored: [],
      },
    });
  },
);

gatedTest(
  "bad settings cost no core: they are in the log and in the zip",
  [readersObstacle()],
  async () => {
    const { events, dumps } = await run(
      `${TEMPLATE}\nTIMEOUT=soon\nCOMPRESSION=perhaps`,
      "cat core",
      ["--bogus"],
    );
    expect(events).toEqual([
      "dump_started",
      "bad_setting",
      "bad_setting",
      "bad_setting",
      "dump_published",
    ]);
    const complaints = dumps[`${NAME}.zip`]?.info["settings_ignored"];
    expect(complaints).toEqual([
      expect.stringContaining("--bogus"),
      expect.stringContaining("TIMEOUT"),
      expect.stringContaining("COMPRESSION"),
    ]);
  },
);

gatedTest(
  "the deadline ends a silent input: exit 32, and what came is published",
  [readersObstacle()],
  async () => {
    const script = "head -c 500000 core; exec sleep 60";
    const { exitCode, dumps } = await run(`${TEMPLATE}\nTIMEOUT=1`, script);
    expect(exitCode).toBe(32);
    expect(dumps[`${NAME}.zip`]).toMatchObject({
      bad: null,
      info: { truncated_by: "timeout", core_complete: false },
    });
  },
);

gatedTest(
  "with a selector, a crash of which no pod is known leaves nothing behind",
  [readersObstacle()],
  async () => {
    const { exitCode, events, files } = await run(`${TEMPLATE}\nPOD_SELECTOR_LABEL=app`);
    expect([exitCode, events, files]).toEqual([0, ["dump_started", "dump_skipped"], []]);
  },
);

gatedTest(
  "a pod that cannot be known is left out by namespace rules, even in the middle of its core",
  [readersObstacle()],
  async () => {
    const { exitCode, files } = await run(
      `${TEMPLATE}\nNAMESPACE_INCLUDE=prod`,
      "cat core; exec yes",
    );
    expect([exitCode, files]).toEqual([0, []]);
  },
);

gatedTest("with CORE_EVENTS the event names the zip", [readersObstacle()], () =>
  withFolder(async (hostDir) => {
    writeFileSync(join(hostDir, ".env"), `IGNORE_CRIO=true\n${TEMPLATE}\nCORE_EVENTS=true\n`);
    await withPipe(hostDir, "echo core", ({ fd }) => runComposer(CRASH_ARGS, hostDir, fd));
    const [event = "none"] = readdirSync(join(hostDir, "events"));
    expect(event).toEndWith("-event.json");
    const content: unknown = JSON.parse(readFileSync(join(hostDir, "events", event), "utf8"));
    expect(content).toMatchObject({ key: `${NAME}.zip`, exe_name: "server", image_list: [] });
  }),
);

gatedTest("an event that cannot be written costs no dump", [readersObstacle()], async () => {
  const { exitCode, events } = await run(
    `${TEMPLATE}\nCORE_EVENTS=true\nEVENT_DIRECTORY=/proc/none`,
  );
  expect([exitCode, events]).toEqual([0, ["dump_started", "dump_published", "event_failed"]]);
});

test("a CORE_DIR that cannot be used is an error, told in the log, with the writer let go", () =>
  withFolder(async (hostDir) => {
    writeFileSync(join(hostDir, "cores"), "a file");
    await withPipe(hostDir, "exec yes", async ({ fd, writer }) => {
      expect(await failureOf(runComposer(CRASH_ARGS, hostDir, fd))).toContain("CORE_DIR");
      await writer.exited;
      expect(writer.signalCode).toBe("SIGPIPE");
    });
    expect(readLog(hostDir).map(({ event }) => event)).toEqual([
      "dump_started",
      "bad_setting",
      "dump_failed",
    ]);
  }));

test("an input that is no input is an empty dump, with the reason", () =>
  withFolder(async (hostDir) => {
    mkdirSync(join(hostDir, "cores"));
    writeFileSync(join(hostDir, ".env"), `IGNORE_CRIO=true\n${TEMPLATE}\n`);
    const fd = openSync(hostDir, "r");
    expect(await runComposer(CRASH_ARGS, hostDir, fd)).toBe(0);
    closeSync(fd);
    const published = readLog(hostDir).at(-1);
    expect(published).toMatchObject({
      event: "dump_published",
      core_bytes: 0,
      missing: "core, process",
    });
  }));
