// SOCKET_SEND_BUFFER through install and remove; on the real kernel: e2e/socket/send-buffer.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { install } from "../../../../src/agent/install/install.ts";
import { remove } from "../../../../src/agent/install/remove.ts";
import type { CaptureMode } from "../../../../src/model/capture-mode.ts";
import { failureOf } from "../../../support/failure.ts";
import { fakeListener } from "../../../support/fake-listener.ts";
import { makeHostTree, type HostTree } from "../../../support/host-tree.ts";

const ORIGINAL = "212992";
const ASKED = { SOCKET_SEND_BUFFER: "2Mi" };

let host: HostTree;
let before: Record<string, string>;
beforeEach(() => {
  host = makeHostTree();
  before = host.snapshot();
});
afterEach(() => host.remove());

const start = (environment: Record<string, string>, mode: CaptureMode = "socket") =>
  install({
    settings: host.settings(environment),
    executable: host.executable,
    mode,
    listener: fakeListener(),
    log: host.log,
  });
const end = (environment: Record<string, string> = ASKED) =>
  remove(host.settings(environment), host.log, fakeListener());
const left = () => host.logLines().filter(({ event }) => event === "sysctl_left");
const setting = () => join(host.root, "proc/sys/net/core/wmem_default");

test("set with the socket, at every start, and given back", async () => {
  await start(ASKED);
  expect(host.socketBuffer()).toBe("2097152");
  host.setSysctl("wmem_default", ORIGINAL);
  await start(ASKED);
  expect(host.socketBuffer()).toBe("2097152");
  await end();
  expect(host.snapshot()).toEqual(before);
});

test("unasked it is not even read", async () => {
  rmSync(setting());
  await start({});
  await end({});
  expect(left()).toEqual([]);
});

test.each<[string, Record<string, string>, CaptureMode]>([
  ["the value was taken back", {}, "socket"],
  ["cores come by the pipe", ASKED, "pipe"],
  ["cores come as files", ASKED, "file"],
])("given back at a start where %s", async (_why, environment, mode) => {
  await start(ASKED);
  await start({ SOCKET_SEND_BUFFER: "4Mi" });
  await start(environment, mode);
  expect(host.socketBuffer()).toBe(ORIGINAL);
  await end(environment);
  expect(host.snapshot()).toEqual(before);
});

test("a removal that knows no settings gives it back all the same", async () => {
  await start(ASKED);
  await end({});
  expect(host.snapshot()).toEqual(before);
});

test("what another has set meanwhile stays, and is told of", async () => {
  await start(ASKED);
  host.setSysctl("wmem_default", "8388608");
  await end();
  expect(host.socketBuffer()).toBe("8388608");
  expect(left()).toMatchObject([{ value: "8388608", original: ORIGINAL }]);
});

test("where it cannot be set, nothing is installed", async () => {
  rmSync(setting());
  expect(await failureOf(start(ASKED))).toContain("cannot read net.core.wmem_default");
  host.setSysctl("wmem_default", ORIGINAL);
  expect(host.snapshot()).toEqual(before);
});

test("a pod that cannot reach it any more goes on, and says what it was", async () => {
  await start(ASKED);
  rmSync(setting());
  await start({});
  expect(left()).toMatchObject([{ name: "net.core.wmem_default", original: ORIGINAL }]);
  await end({});
  host.setSysctl("wmem_default", ORIGINAL);
  expect(host.snapshot()).toEqual(before);
});

test.each(["1", "65535", "65Mi", "much"])("%s is refused", (value) => {
  expect(() => host.settings({ SOCKET_SEND_BUFFER: value })).toThrow(
    `SOCKET_SEND_BUFFER is "${value}"; expected 0 or a size in bytes from 64Ki to 64Mi`,
  );
});
