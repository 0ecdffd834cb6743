import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { install } from "../../../../src/agent/install/install.ts";
import { readComposerSettings } from "../../../../src/config/composer-settings.ts";
import { parseEnvFile } from "../../../../src/model/env-file.ts";
import { failureOf } from "../../../support/failure.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../../../support/host-tree.ts";

let host: HostTree;
beforeEach(() => {
  host = makeHostTree();
});
afterEach(() => host.remove());

const run = (environment: Record<string, string> = {}) =>
  install({
    settings: host.settings(environment),
    executable: host.executable,
    log: host.log,
  });
const inHost = (name: string) => join(host.hostDir, name);
const textOf = (name: string) => readFileSync(inHost(name), "utf8");
const modeOf = (path: string) => statSync(path).mode & 0o777;

test("a fresh host gets the composer, its settings and the three sysctls", async () => {
  await run({ COMP_TIMEOUT: "77" });
  expect(readFileSync(inHost("cdc")).equals(readFileSync(host.executable))).toBe(true);
  expect(readComposerSettings(parseEnvFile(textOf(".env"))).settings).toEqual(
    host.settings({ COMP_TIMEOUT: "77" }).composer,
  );
  expect(host.sysctls().pattern).toStartWith(`|${inHost("cdc")} `);
  expect(host.sysctls()).toMatchObject({ pipeLimit: "128", suidDumpable: "2" });
});

test("a folder for events is made only where there are any", async () => {
  await run();
  expect(existsSync(inHost("events"))).toBe(false);
  await run({ COMP_CORE_EVENTS: "true" });
  expect(modeOf(inHost("events"))).toBe(0o755);
});

test("the originals are kept", async () => {
  await run();
  expect(textOf("core_pattern.bak")).toBe(ORIGINAL_PATTERN);
  expect(textOf("core_pipe_limit.bak")).toBe("16");
  expect(textOf("suid_dumpable.bak")).toBe("1");
});

test("EVENT_DIR is made for events alone: a pod without them may have nowhere to make it", async () => {
  const EVENT_DIR = join(dirname(host.hostDir), "events");
  await run({ EVENT_DIR });
  expect(existsSync(EVENT_DIR)).toBe(false);
  await run({ EVENT_DIR, COMP_CORE_EVENTS: "true" });
  expect(existsSync(EVENT_DIR)).toBe(true);
});

test("only root can look into the dumps, and the files are root's alone", async () => {
  await run();
  expect(modeOf(inHost("cores"))).toBe(0o700);
  expect(modeOf(inHost("cdc"))).toBe(0o700);
  expect(modeOf(inHost(".env"))).toBe(0o600);
});

test("a second run with the same settings changes nothing", async () => {
  await run();
  const before = host.snapshot();
  await run();
  expect(host.snapshot()).toEqual(before);
});

test("our own pattern never becomes the backup, and the first backup stays", async () => {
  await run();
  rmSync(inHost("core_pattern.bak"));
  await run();
  expect(existsSync(inHost("core_pattern.bak"))).toBe(false);
  host.setSysctl("core_pattern", "core.%p");
  await run();
  expect(textOf("core_pattern.bak")).toBe("core.%p");
  host.setSysctl("core_pattern", "other");
  await run();
  expect(textOf("core_pattern.bak")).toBe("core.%p");
});

test("a new version replaces the composer while the old one runs", async () => {
  copyFileSync("/bin/sleep", host.executable);
  await run();
  const running = Bun.spawn([inHost("cdc"), "60"]);
  try {
    copyFileSync("/bin/true", host.executable);
    await run();
    expect(readFileSync(inHost("cdc")).equals(readFileSync("/bin/true"))).toBe(true);
    expect(running.exitCode).toBeNull();
  } finally {
    running.kill("SIGKILL");
    await running.exited;
  }
});

test("an install over the ancestor keeps the ancestor's backup", async () => {
  mkdirSync(host.hostDir);
  writeFileSync(inHost("core_pattern.bak"), "core\n");
  host.setSysctl(
    "core_pattern",
    `|${inHost("cdc")} -c=%c -e=%e -p=%p -s=%s -t=%t -d=/x -h=%h -E=%E`,
  );
  await run();
  expect(textOf("core_pattern.bak")).toBe("core\n");
  expect(host.sysctls().pattern).toContain("-P=%P");
});

test("crictl's configuration and executable are deployed where asked for", async () => {
  writeFileSync(join(dirname(host.executable), "crictl"), "#!/bin/sh\n");
  await run({
    DEPLOY_CRIO_CONFIG: "true",
    DEPLOY_CRIO_EXE: "true",
    CRIO_ENDPOINT: "unix:///run/crio/crio.sock",
  });
  expect(textOf("crictl.yaml")).toContain('runtime-endpoint: "unix:///run/crio/crio.sock"');
  expect(modeOf(inHost("crictl"))).toBe(0o700);
});

test("the host's libc decides which executable of the image is taken", async () => {
  const musl = join(dirname(host.executable), `core-dump-handler-linux-${process.arch}-musl`);
  copyFileSync("/bin/false", musl);
  await run({ VENDOR: "musl" });
  expect(readFileSync(inHost("cdc")).equals(readFileSync(musl))).toBe(true);
  await run({ VENDOR: "rhel7" });
  expect(readFileSync(inHost("cdc")).equals(readFileSync(host.executable))).toBe(true);
});

test("DEPLOY_CRIO_EXE without a crictl in the image is a warning, as nothing of ours needs it", async () => {
  await run({ DEPLOY_CRIO_EXE: "true" });
  expect(host.logLines()).toContainEqual(
    expect.objectContaining({ event: "crictl_not_deployed", level: "warn" }),
  );
  expect(host.sysctls().pattern).toStartWith(`|${inHost("cdc")} `);
  expect(textOf("install.json")).not.toContain('"crictl"');
});

test("DEPLOY_CRIO_EXE without a crictl is one clear error where crictl was chosen, and nothing stays", async () => {
  const before = host.snapshot();
  expect(await failureOf(run({ DEPLOY_CRIO_EXE: "true", COMP_CRI_CLIENT: "crictl" }))).toContain(
    "this image carries no crictl",
  );
  expect(host.snapshot()).toEqual(before);
});

test("a sysctl that cannot be written takes the whole first install back", async () => {
  rmSync(join(host.root, "proc/sys/fs/suid_dumpable"));
  // Reads well, keeps nothing: what a kernel that refuses in silence looks like.
  symlinkSync("/dev/null", join(host.root, "proc/sys/fs/suid_dumpable"));
  const before = host.snapshot();
  expect(await failureOf(run())).toContain('fs.suid_dumpable was set to "2" and now reads ""');
  expect(host.snapshot()).toEqual(before);
});

test("an error over a working install leaves that install working", async () => {
  await run();
  const { pattern } = host.sysctls();
  const wrong = { DEPLOY_CRIO_EXE: "true", COMP_CRI_CLIENT: "crictl" };
  expect(await failureOf(run(wrong))).toContain("crictl");
  expect(host.sysctls().pattern).toBe(pattern);
  expect(existsSync(inHost("cdc"))).toBe(true);
});

test("a HOST_DIR whose pattern the kernel would cut is refused before anything is written", async () => {
  const before = host.snapshot();
  const long = `${host.root}/${"x".repeat(100)}`;
  expect(await failureOf(run({ HOST_DIR: long }))).toContain("the kernel keeps 127");
  expect(host.snapshot()).toEqual(before);
});

test("a HOST_DIR that is somebody's link is refused", async () => {
  mkdirSync(join(host.root, "elsewhere"));
  symlinkSync(join(host.root, "elsewhere"), host.hostDir);
  expect(await failureOf(run())).toContain("symbolic link");
  expect(readdirSync(join(host.root, "elsewhere"))).toEqual([]);
});

test("a HOST_DIR that anybody may write to is narrowed", async () => {
  mkdirSync(host.hostDir);
  chmodSync(host.hostDir, 0o777);
  await run();
  expect(modeOf(host.hostDir)).toBe(0o755);
});

test("a temporary file of a start that was killed is cleared away", async () => {
  mkdirSync(host.hostDir);
  writeFileSync(inHost(".cdc.123.456.new"), "half");
  Bun.spawnSync(["touch", "-d", "1 hour ago", inHost(".cdc.123.456.new")]);
  await run();
  expect(existsSync(inHost(".cdc.123.456.new"))).toBe(false);
});
