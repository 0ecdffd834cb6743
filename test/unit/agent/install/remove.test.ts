import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { install } from "../../../../src/agent/install/install.ts";
import { remove } from "../../../../src/agent/install/remove.ts";
import { readHostSettings } from "../../../../src/config/agent-settings.ts";
import { tryLock } from "../../../../src/host/libc.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../../../support/host-tree.ts";

let host: HostTree;
let before: Record<string, string>;
beforeEach(() => {
  host = makeHostTree();
  writeFileSync(join(dirname(host.executable), "crictl"), "#!/bin/sh\n");
  before = host.snapshot();
});
afterEach(() => host.remove());

const inHost = (name: string) => join(host.hostDir, name);
const start = (environment: Record<string, string> = {}) =>
  install({ settings: host.settings(environment), executable: host.executable, log: host.log });
const end = (environment: Record<string, string> = {}) =>
  remove(host.settings(environment), host.log);
const CRICTL = { DEPLOY_CRIO_CONFIG: "true", DEPLOY_CRIO_EXE: "true" };

test("after a fresh start the host is as it was", async () => {
  await start(CRICTL);
  await end(CRICTL);
  expect(host.snapshot()).toEqual(before);
});

test("after two starts with different settings the host is as it was", async () => {
  await start(CRICTL);
  await start({ CORE_PIPE_LIMIT: "5", SUID_DUMPABLE: "0" });
  await end();
  expect(host.snapshot()).toEqual(before);
});

test("a second removal finds nothing to do", async () => {
  await start();
  await end();
  await end();
  expect(host.snapshot()).toEqual(before);
});

test("ours removed first, IBM's agent finds the host's own pattern, and restores that one day", async () => {
  await start();
  await end();
  // What its install and its removal do: keep the present pattern, write its own, and later write the kept one back.
  mkdirSync(host.hostDir, { recursive: true });
  writeFileSync(inHost("core_pattern.bak"), host.sysctls().pattern);
  host.setSysctl("core_pattern", `|${inHost("cdc")} -c=%c -e=%e`);
  host.setSysctl("core_pattern", readFileSync(inHost("core_pattern.bak"), "utf8"));
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
});

const IBM_CONFIG =
  "runtime-endpoint: unix:///run/x.sock\nimage-endpoint: unix:///run/x.sock\ntimeout: 2\ndebug: false\npull-image-on-create: false";

test("crictl and its configuration go too where they are IBM's", async () => {
  mkdirSync(host.hostDir, { recursive: true });
  writeFileSync(inHost("crictl.yaml"), IBM_CONFIG);
  writeFileSync(inHost("crictl"), "program");
  rmSync(join(dirname(host.executable), "crictl"));
  await start({ DEPLOY_CRIO_EXE: "true" });
  // A later start still knows.
  await start();
  await end();
  expect(existsSync(inHost("crictl"))).toBe(false);
  expect(existsSync(inHost("crictl.yaml"))).toBe(false);
});

test("crictl and its configuration stay where they are the node's own", async () => {
  mkdirSync(host.hostDir, { recursive: true });
  writeFileSync(inHost("crictl.yaml"), "runtime-endpoint: unix:///run/x.sock\n");
  writeFileSync(inHost("crictl"), "program");
  rmSync(join(dirname(host.executable), "crictl"));
  await start({ DEPLOY_CRIO_EXE: "true" });
  await end();
  expect(existsSync(inHost("crictl"))).toBe(true);
  expect(existsSync(inHost("crictl.yaml"))).toBe(true);
});

test("without any start nothing happens", async () => {
  await end();
  expect(host.snapshot()).toEqual(before);
});

test("what composer and agent wrote meanwhile goes too", async () => {
  await start();
  writeFileSync(inHost("composer.log"), "{}\n");
  writeFileSync(inHost("composer.log.1"), "{}\n");
  writeFileSync(inHost(".cdc.1.2.new"), "half");
  await end();
  expect(host.snapshot()).toEqual(before);
});

test.each(["cdc", ".env", "install.json"])(
  "with %s missing the host is as it was",
  async (name) => {
    mkdirSync(host.hostDir);
    before = host.snapshot();
    await start();
    rmSync(inHost(name));
    await end();
    expect(host.snapshot()).toEqual(before);
  },
);

test("with the backups missing the kernel's own defaults come back", async () => {
  await start();
  for (const name of ["core_pattern.bak", "core_pipe_limit.bak", "suid_dumpable.bak"])
    rmSync(inHost(name));
  await end();
  expect(host.sysctls()).toEqual({ pattern: "core", pipeLimit: "0", suidDumpable: "0" });
});

test("an install that was killed half-way is cleared away", async () => {
  await start();
  // As it stands when the kill came between the files and the sysctls.
  host.setSysctl("core_pattern", ORIGINAL_PATTERN);
  host.setSysctl("core_pipe_limit", "16");
  host.setSysctl("suid_dumpable", "1");
  rmSync(inHost("core_pattern.bak"));
  await end();
  expect(host.snapshot()).toEqual(before);
});

test("the ancestor's install is removed by its backups", async () => {
  mkdirSync(inHost("cores"), { recursive: true });
  writeFileSync(inHost("cdc"), "old");
  writeFileSync(inHost(".env"), "LOG_LEVEL=Warn\n");
  for (const [name, value] of [
    ["core_pattern.bak", ORIGINAL_PATTERN],
    ["core_pipe_limit.bak", "16"],
    ["suid_dumpable.bak", "1"],
  ] as const)
    writeFileSync(inHost(name), value);
  host.setSysctl("core_pattern", `|${inHost("cdc")} -c=%c -e=%e`);
  host.setSysctl("core_pipe_limit", "128");
  host.setSysctl("suid_dumpable", "2");
  await end();
  rmSync(host.hostDir, { recursive: true });
  expect(host.snapshot()).toEqual(before);
});

test("a sysctl that someone else changed since stays theirs", async () => {
  await start();
  host.setSysctl("core_pattern", "|/opt/other %p");
  host.setSysctl("suid_dumpable", "0");
  await end();
  expect(host.sysctls()).toEqual({
    pattern: "|/opt/other %p",
    pipeLimit: "16",
    suidDumpable: "0",
  });
  expect(existsSync(inHost("cdc"))).toBe(false);
  expect(host.logLines().map(({ event }) => event)).toContain("sysctl_left");
});

test("dumps that were not uploaded stay", async () => {
  await start();
  writeFileSync(join(inHost("cores"), "a.zip"), "zip");
  writeFileSync(join(inHost("cores"), ".cdh-0.partial"), "zip");
  await end();
  expect(existsSync(join(inHost("cores"), "a.zip"))).toBe(true);
  expect(existsSync(join(inHost("cores"), ".cdh-0.partial"))).toBe(true);
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
});

test("a dump under way is waited for, so that nothing is left of its traces", async () => {
  await start();
  const partial = join(inHost("cores"), ".cdh-0f8fad5b-d9cb-469f-a165-70867728950e.partial");
  writeFileSync(partial, "");
  const composer = openSync(partial, "r+");
  expect(tryLock(composer)).toBe(true);
  let removed = false;
  const removal = end().then(() => (removed = true));
  await Bun.sleep(200);
  expect(removed).toBe(false);
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  writeFileSync(inHost("composer.log"), "{}\n");
  rmSync(partial);
  closeSync(composer);
  await removal;
  expect(host.snapshot()).toEqual(before);
});

test("files of others in HOST_DIR stay, and so does a crictl that we did not bring", async () => {
  mkdirSync(host.hostDir);
  writeFileSync(inHost("crictl"), "theirs");
  before = host.snapshot();
  await start();
  await end();
  expect(host.snapshot()).toEqual(before);
});

test("a setting that has nothing to do with the removal may be wrong", () => {
  const settings = readHostSettings({
    HOST_DIR: host.hostDir,
    INTERVAL: "soon",
    S3_SECRET: "x",
  });
  expect(settings.HOST_DIR).toBe(host.hostDir);
  expect(() => readHostSettings({ HOST_DIR: "not/absolute" })).toThrow("HOST_DIR");
});
