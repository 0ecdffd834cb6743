// What a person types on an installed host without HOST_DIR in the environment, against a host in a temporary folder.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { install } from "../../src/agent/install/install.ts";
import { executablePath } from "../support/executable.ts";
import { gatedTest } from "../support/gate.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../support/host-tree.ts";

let host: HostTree;
beforeEach(async () => {
  host = makeHostTree();
  chmodSync(host.root, 0o755);
  await install({ settings: host.settings(), executable: host.executable, log: host.log });
});
afterEach(() => host.remove());

const NEEDS_ROOT = process.getuid?.() === 0 ? undefined : "needs root (becomes another user)";
const NOBODY = 65_534;

async function type(
  line: string,
  { env = {}, uid }: { env?: Record<string, string>; uid?: number } = {},
) {
  const child = Bun.spawn([await executablePath(), ...line.split(" ")], {
    env: { PROC_ROOT: join(host.root, "proc"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid }),
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}

test("remove takes away the install that core_pattern names", async () => {
  expect((await type("remove")).exitCode).toBe(0);
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
});

test("remove in another HOST_DIR fails and says which folder core_pattern names", async () => {
  const other = join(host.root, "other");
  const { stderr, exitCode } = await type("remove", { env: { HOST_DIR: other } });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`core_pattern still starts what is installed in ${host.hostDir}`);
  expect(stderr).toContain(`HOST_DIR=${host.hostDir} core-dump-handler remove`);
  expect(host.sysctls().pattern).toStartWith(`|${host.hostDir}/cdc`);
});

test("a second remove finds nothing, and succeeds", async () => {
  await type("remove");
  const { stdout, exitCode } = await type("remove");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("nothing was installed");
});

test("list looks into the CORE_DIR of the install", async () => {
  const elsewhere = join(host.root, "elsewhere");
  await install({
    settings: host.settings({ CORE_DIR: elsewhere }),
    executable: host.executable,
    log: host.log,
  });
  writeFileSync(join(elsewhere, "a.zip"), "");
  expect((await type("list")).stdout).toContain("a.zip");
});

test("variables that are set win over what is installed", async () => {
  const mine = join(host.root, "mine");
  mkdirSync(mine);
  writeFileSync(join(mine, "b.zip"), "");
  expect((await type("list", { env: { CORE_DIR: mine } })).stdout).toContain("b.zip");
});

gatedTest("remove by another user fails, says why, and changes nothing", [NEEDS_ROOT], async () => {
  const { stderr, exitCode } = await type("remove", { uid: NOBODY });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("only root may install on a host or remove from it");
  expect(host.sysctls().pattern).toStartWith(`|${host.hostDir}/cdc`);
});

gatedTest(
  "list of a folder works for a user who may not read the agent's settings",
  [NEEDS_ROOT],
  async () => {
    const mine = join(host.root, "mine");
    mkdirSync(mine, { mode: 0o755 });
    writeFileSync(join(mine, "b.zip"), "");
    const { stdout, exitCode } = await type(`list ${mine}`, { uid: NOBODY });
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("b.zip"),
    });
  },
);
