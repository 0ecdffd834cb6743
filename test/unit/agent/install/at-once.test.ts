// Several processes that install and remove on one host at the same time, as the pods of an update do.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { install } from "../../../../src/agent/install/install.ts";
import { remove } from "../../../../src/agent/install/remove.ts";
import { fakeListener } from "../../../support/fake-listener.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../../../support/host-tree.ts";

const ROUNDS = 15;

let host: HostTree;
beforeEach(() => {
  host = makeHostTree();
});
afterEach(() => host.remove());

const context = () => ({
  settings: host.settings(),
  executable: host.executable,
  log: host.log,
});

test("two first installs at once both succeed, and the first backup is the host's own", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all([install(context()), install(context())]);
    expect(host.sysctls().pattern).toStartWith(`|${join(host.hostDir, "cdc")} `);
    await remove(host.settings(), host.log);
    expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  }
});

test("an install that fails takes away nothing that another one installs at the same time", async () => {
  // It fails when the folders and the record are there.
  const broken = { ...context(), mode: "socket", listener: fakeListener(false) } as const;
  for (let round = 0; round < ROUNDS; round++) {
    const [good, bad] = await Promise.allSettled([install(context()), install(broken)]);
    expect([good.status, bad.status]).toEqual(["fulfilled", "rejected"]);
    for (const name of ["cdc", ".env", "cores", "install.json"])
      expect(existsSync(join(host.hostDir, name))).toBe(true);
    expect(host.sysctls().pattern).toStartWith(`|${join(host.hostDir, "cdc")} `);
    await remove(host.settings(), host.log);
  }
});

test("an install and a removal at once leave all of it or nothing", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await install(context());
    await Promise.all([install(context()), remove(host.settings(), host.log)]);
    const isOurs = host.sysctls().pattern !== ORIGINAL_PATTERN;
    expect(existsSync(join(host.hostDir, "cdc"))).toBe(isOurs);
    expect(existsSync(join(host.hostDir, ".env"))).toBe(isOurs);
    await remove(host.settings(), host.log);
  }
});

test("a removal takes the lock's file away too", async () => {
  await install(context());
  await remove(host.settings(), host.log);
  expect(existsSync(host.hostDir) ? readdirSync(host.hostDir) : []).toEqual([]);
});
