// What CAPTURE_MODE leads to, with canaries that die as the test says; on the real kernel: e2e/kernel/capture-mode.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installCapture } from "../../../../src/agent/capture/choice.ts";
import type { Trial } from "../../../../src/agent/canary/trial.ts";
import { remove } from "../../../../src/agent/install/remove.ts";
import type { CaptureMode } from "../../../../src/model/capture-mode.ts";
import { FILE_PATTERN } from "../../../../src/model/core-file-pattern.ts";
import { captureModeOf } from "../../../../src/model/core-pattern.ts";
import { failureOf } from "../../../support/failure.ts";
import { fakeListener, type FakeListener } from "../../../support/fake-listener.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../../../support/host-tree.ts";

let host: HostTree;
let listener: FakeListener;
beforeEach(() => {
  host = makeHostTree();
  listener = fakeListener();
});
afterEach(() => host.remove());

const PROVEN: Trial = { outcome: "proven", because: "the canary's core came" };

/** `works` are the modes by which a canary's core comes; `obstacles` are known before anything is tried. */
async function choose(
  environment: Record<string, string>,
  works: readonly CaptureMode[] = [],
  obstacles: Partial<Record<CaptureMode, string>> = {},
) {
  const tried: string[] = [];
  const mode = await installCapture({
    // One build only: a pipe is one try.
    settings: host.settings({ VENDOR: "default", ...environment }),
    executable: host.executable,
    listener,
    log: host.log,
    obstacleOf: async (asked) => obstacles[asked],
    canary: async (_settings, asked) => {
      tried.push(`${asked} ${captureModeOf(host.sysctls().pattern, host.hostDir)}`);
      return works.includes(asked)
        ? PROVEN
        : { outcome: "installed", because: `${asked} did not work` };
    },
  });
  const said = host.logLines().filter(({ event }) => event === "capture_mode");
  return { mode, tried, said: said.at(-1) };
}

const patternMode = () => captureModeOf(host.sysctls().pattern, host.hostDir);

test("auto: a pipe that works is taken, and nothing else is tried", async () => {
  const { mode, tried, said } = await choose({}, ["pipe", "socket", "file"]);
  expect({ mode, tried }).toEqual({ mode: "pipe", tried: ["pipe pipe"] });
  expect(said).toMatchObject({ level: "info", mode: "pipe", tried: "" });
});

test("auto: where a pipe does not work, the socket; and why not the pipe", async () => {
  const { mode, tried, said } = await choose({}, ["socket", "file"]);
  expect({ mode, tried }).toEqual({ mode: "socket", tried: ["pipe pipe", "socket socket"] });
  expect(said).toMatchObject({ level: "info", tried: "pipe: pipe did not work" });
  expect(patternMode()).toBe("socket");
  expect(existsSync(join(host.hostDir, "cdc"))).toBe(false);
});

test("auto: files, where the kernel has no socket or nobody listens", async () => {
  const first = await choose({}, ["socket", "file"], { socket: "no socket here" });
  expect(first.mode).toBe("file");
  expect(first.said?.["tried"]).toBe("pipe: pipe did not work; socket: no socket here");
  expect(host.sysctls().pattern).toBe(FILE_PATTERN);
  await remove(host.settings(), host.log, listener);
  listener.starts = false;
  const second = await choose({}, ["socket", "file"]);
  expect(second.mode).toBe("file");
  expect(second.said?.["tried"]).toContain("socket: no listener answers");
});

test("auto: where nothing works, the first that could be installed stays, with an error", async () => {
  const { mode, said } = await choose({}, []);
  expect(mode).toBe("pipe");
  expect(said).toMatchObject({ level: "error", mode: "pipe" });
  expect(said?.["tried"]).toBe(
    "pipe: pipe did not work; socket: socket did not work; file: file did not work",
  );
  expect(patternMode()).toBe("pipe");
  expect(existsSync(join(host.hostDir, "cdc"))).toBe(true);
});

test("auto without the doctor tries nothing: a pipe, and it is said", async () => {
  const { mode, tried, said } = await choose({ DOCTOR: "false" }, ["file"]);
  expect({ mode, tried }).toEqual({ mode: "pipe", tried: [] });
  expect(said).toMatchObject({ level: "info", because: "DOCTOR is false: nothing is tried" });
});

test("what was proven goes first at the next start; after a reboot all is tried anew", async () => {
  await choose({}, ["file"]);
  const again = await choose({}, ["pipe", "socket", "file"]);
  expect({ mode: again.mode, tried: again.tried }).toEqual({ mode: "file", tried: ["file file"] });
  expect(again.said?.["tried"]).toBe("pipe: pipe did not work; socket: socket did not work");

  const path = join(host.hostDir, "install.json");
  const record = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...record, capture: { ...record.capture, boot: "x" } }));
  expect((await choose({}, ["pipe", "file"])).mode).toBe("pipe");
});

test("what was proven and works no more gives way", async () => {
  await choose({}, ["socket"]);
  const { mode, tried } = await choose({}, ["pipe"]);
  expect({ mode, tried }).toEqual({ mode: "pipe", tried: ["socket socket", "pipe pipe"] });
  expect(listener.calls.at(-1)).toBe("stop");
});

test.each(["socket", "file"] as const)(
  "%s by name: what is in its way is said, and nothing is changed",
  async (CAPTURE_MODE) => {
    const before = host.snapshot();
    const failure = failureOf(choose({ CAPTURE_MODE }, [], { [CAPTURE_MODE]: "of the moon" }));
    expect(await failure).toContain(`CAPTURE_MODE is ${CAPTURE_MODE}, and of the moon`);
    expect(host.snapshot()).toEqual(before);
  },
);

test("socket by name without a listener: an error, and nothing is left", async () => {
  listener.starts = false;
  const before = host.snapshot();
  expect(await failureOf(choose({ CAPTURE_MODE: "socket" }))).toContain("no listener answers on");
  expect(host.snapshot()).toEqual(before);
  expect(listener.calls).toEqual(["ensure", "stop"]);
});

test("wrong settings are said, not worked around", async () => {
  const before = host.snapshot();
  const long = `/${"x".repeat(120)}`;
  expect(await failureOf(choose({ HOST_DIR: long }, ["file"]))).toContain("core_pattern would be");
  expect(host.snapshot()).toEqual(before);
});

test("every change of modes keeps the first originals, and remove gives them back", async () => {
  const before = host.snapshot();
  for (const CAPTURE_MODE of ["file", "pipe", "socket", "file", "socket", "pipe"] as const) {
    const { said } = await choose({ CAPTURE_MODE });
    expect(said).toMatchObject({ mode: CAPTURE_MODE, because: `CAPTURE_MODE is ${CAPTURE_MODE}` });
    expect(patternMode()).toBe(CAPTURE_MODE);
    expect(readdirSync(host.hostDir).includes("cdc")).toBe(CAPTURE_MODE === "pipe");
    expect(listener.now).toBe(CAPTURE_MODE === "socket" ? "answers" : "absent");
    expect(readFileSync(join(host.hostDir, "core_pattern.bak"), "utf8")).toBe(ORIGINAL_PATTERN);
    expect(host.sysctls()).toMatchObject({ pipeLimit: "128", suidDumpable: "2" });
  }
  await remove(host.settings(), host.log, listener);
  expect(host.snapshot()).toEqual(before);
});
