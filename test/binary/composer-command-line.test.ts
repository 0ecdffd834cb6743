// The composer's command line and exit codes (contract, sections 2 and 9), on the compiled executable.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runComposerProcess } from "../support/composer-process.ts";
import { gatedTest } from "../support/gate.ts";
import { installComposer, type InstalledComposer } from "../support/installed-composer.ts";
import { judgeZips, type JudgedZip } from "../support/many-zips.ts";
import { runTool } from "../support/run-tool.ts";
import { CRASH_ARGS } from "../support/sample-crash.ts";
import { sampleCore } from "../support/sample-core.ts";
import { withFolder } from "../support/temporary-folder.ts";
import { readersObstacle } from "../support/zip-readers.ts";

const CORE = sampleCore(600_000, 13);
const TEMPLATE = { FILENAME_TEMPLATE: "{hostname}" };

function withInstalled<T>(
  settings: Record<string, string | number | boolean>,
  body: (composer: InstalledComposer) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    writeFileSync(join(folder, "core"), CORE);
    return body(await installComposer(folder, settings));
  });
}

/** The one zip that a run with these arguments leaves. */
function dumpBy(
  args: readonly string[],
  settings = {},
): Promise<JudgedZip & { exitCode: number | null }> {
  return withInstalled({ ...TEMPLATE, ...settings }, async (composer) => {
    const exitCode = await runComposerProcess(composer, { script: "cat core", args });
    const [zip, ...others] = Object.values(await judgeZips(composer.coreDir));
    if (zip === undefined || others.length > 0) throw new Error(`not one zip by ${args.join(" ")}`);
    return { exitCode, ...zip };
  });
}

const EQUALS = [...CRASH_ARGS, "-T=60"];
const APART = EQUALS.flatMap((arg) => [arg.slice(0, 2), arg.slice(3)]);
const LONG = [
  "--limit-size=18446744073709551615",
  "--exe-name=server",
  "--pid=7",
  "--signal=11",
  "--timestamp=1700000000",
  "--hostname=web-1",
  "--pathname=!usr!bin!server",
  "--timeout=60",
];

for (const [form, args] of [
  ["-c=V", EQUALS],
  ["-c V", APART],
  ["--limit-size=V", LONG],
] as const)
  gatedTest(`${form} is understood`, [readersObstacle()], async () => {
    const { exitCode, info, bad } = await dumpBy(args);
    expect([exitCode, bad]).toEqual([0, null]);
    expect(info).toMatchObject({
      limit_size: "18446744073709551615",
      exe: "server",
      real_pid: "7",
      signal: "11",
      timestamp: "1700000000",
      hostname: "web-1",
      path: "!usr!bin!server",
      core_complete: true,
      settings_ignored: [],
    });
  });

gatedTest("-D stores the core, as COMPRESSION=false does", [readersObstacle()], () =>
  withInstalled(TEMPLATE, async (composer) => {
    const zipBytes = () => Bun.file(join(composer.coreDir, "web-1.zip")).size;
    await runComposerProcess(composer, {
      script: "head -c 1000000 /dev/zero",
      args: [...CRASH_ARGS, "-D"],
    });
    expect(zipBytes()).toBeGreaterThan(1_000_000);
    await rm(join(composer.coreDir, "web-1.zip"));
    await runComposerProcess(composer, { script: "head -c 1000000 /dev/zero" });
    expect(zipBytes()).toBeLessThan(100_000);
  }),
);

gatedTest(
  "-T ends a dump that does not end: exit code 32, a whole zip, labelled",
  [readersObstacle()],
  () =>
    withInstalled(TEMPLATE, async (composer) => {
      const args = [...CRASH_ARGS, "-T=2"];
      const script = "head -c 400000 core; exec sleep 600";
      expect(await runComposerProcess(composer, { script, args })).toBe(32);
      const { "web-1.zip": zip } = await judgeZips(composer.coreDir);
      expect(zip).toMatchObject({
        bad: null,
        info: { core_complete: false, truncated_by: "timeout", core_expected_bytes: CORE.length },
      });
    }),
);

gatedTest("-d is where the dump goes when .env does not say", [readersObstacle()], () =>
  withInstalled(TEMPLATE, async (composer) => {
    const { hostDir } = composer;
    for (const [given, folder] of [
      ["-d=mine", join(hostDir, "mine")],
      [`-d=${hostDir}/abs`, join(hostDir, "abs")],
    ] as const) {
      await writeFile(join(hostDir, ".env"), "IGNORE_CRIO=true\nFILENAME_TEMPLATE={hostname}\n");
      expect(
        await runComposerProcess(composer, { script: "cat core", args: [...CRASH_ARGS, given] }),
      ).toBe(0);
      expect(Object.keys(await judgeZips(folder))).toEqual(["web-1.zip"]);
    }
  }),
);

gatedTest(
  "flags that are unknown, doubled or broken cost no core",
  [readersObstacle()],
  async () => {
    const { exitCode, info } = await dumpBy([
      "--bogus",
      "-p=7",
      "-p=8",
      "-s=x",
      "-T=soon",
      "stray",
      ...CRASH_ARGS,
    ]);
    expect(exitCode).toBe(0);
    expect(info).toMatchObject({ real_pid: "7", core_complete: true });
    expect(info["settings_ignored"]).toHaveLength(6);
  },
);

gatedTest("without any argument there is a dump", [readersObstacle()], async () => {
  const { exitCode, info } = await dumpBy([], { FILENAME_TEMPLATE: "{uuid}" });
  expect(exitCode).toBe(0);
  expect(info).toMatchObject({ exe: "", real_pid: "", signal: "", core_complete: true });
});

test("a dump that cannot be kept exits with 1, told in the log", () =>
  withInstalled({}, async (composer) => {
    await rm(composer.coreDir, { recursive: true });
    await writeFile(composer.coreDir, "a file");
    expect(await runComposerProcess(composer, { script: "exec yes" })).toBe(1);
    const last = (await composer.log()).at(-1);
    expect(last).toMatchObject({
      event: "dump_failed",
      error: expect.stringContaining("CORE_DIR"),
    });
  }));

for (const [title, input] of [
  ["a file", (folder: string) => `<"${folder}/core"`],
  ["nothing at all", () => "<&-"],
  ["/dev/null", () => "</dev/null"],
  ["a folder", (folder: string) => `<"${folder}"`],
] as const)
  gatedTest(`stdin may be ${title}`, [readersObstacle()], () =>
    withInstalled(TEMPLATE, async ({ folder, hostDir, coreDir }) => {
      const command = `exec "$0" -h=web-1 ${input(folder)} >&- 2>&-`;
      const child = Bun.spawn(["sh", "-c", command, join(hostDir, "cdc")], { env: {}, cwd: "/" });
      expect(await child.exited).toBe(0);
      const { "web-1.zip": zip } = await judgeZips(coreDir);
      const whole = title === "a file";
      expect(zip).toMatchObject({
        bad: null,
        info: { core_complete: whole, core_bytes: whole ? CORE.length : 0 },
      });
    }),
  );

const OVER_SOCKET = `
import socket, subprocess, sys
ours, theirs = socket.socketpair()
child = subprocess.Popen([sys.argv[1], "-h=web-1"], stdin=theirs, env={}, cwd="/")
theirs.close()
ours.sendall(open(sys.argv[2], "rb").read())
ours.close()
sys.exit(child.wait())
`;

gatedTest("stdin may be a socket", [readersObstacle()], () =>
  withInstalled(TEMPLATE, async ({ folder, hostDir, coreDir }) => {
    await runTool(["python3", "-c", OVER_SOCKET, join(hostDir, "cdc"), join(folder, "core")]);
    const { "web-1.zip": zip } = await judgeZips(coreDir);
    expect(zip).toMatchObject({ bad: null, info: { core_complete: true } });
  }),
);

gatedTest(
  "descriptors that were open before it started are not written to",
  [readersObstacle()],
  () =>
    withInstalled(TEMPLATE, async ({ folder, hostDir, coreDir }) => {
      await mkdir(join(folder, "others"));
      const others = [1, 2, 3, 4, 5, 6, 7].map((fd) => `${fd}>"${folder}/others/${fd}"`).join(" ");
      const command = `exec "$0" -h=web-1 <"${folder}/core" ${others}`;
      const child = Bun.spawn(["sh", "-c", command, join(hostDir, "cdc")], { env: {}, cwd: "/" });
      expect(await child.exited).toBe(0);
      for (const fd of [1, 2, 3, 4, 5, 6, 7])
        expect(Bun.file(join(folder, "others", String(fd))).size).toBe(0);
      expect(await judgeZips(coreDir)).toMatchObject({ "web-1.zip": { bad: null } });
    }),
);
