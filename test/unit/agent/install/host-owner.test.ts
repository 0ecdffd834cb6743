import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installCapture } from "../../../../src/agent/capture/choice.ts";
import {
  claimHostDirectory,
  lapseClaim,
  otherOwner,
  OWNER_SILENT_MAX_MS,
  renewClaim,
} from "../../../../src/agent/install/host-owner.ts";
import { remove } from "../../../../src/agent/install/remove.ts";
import { failureOf } from "../../../support/failure.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../../../support/host-tree.ts";

let host: HostTree;
const record = () => join(host.hostDir, "owner.json");
beforeEach(() => {
  host = makeHostTree();
  mkdirSync(host.hostDir);
});
afterEach(() => host.remove());

/** The pod of a release: its DaemonSet's namespace and name. */
const pod = (namespace: string, daemonset = "core-dump-handler") =>
  host.settings({
    POD_NAME: `${namespace}-1`,
    POD_NAMESPACE: namespace,
    DAEMONSET_NAME: daemonset,
    DOCTOR: "false",
  });
const startAgent = (settings: ReturnType<typeof pod>) =>
  installCapture({
    settings,
    executable: host.executable,
    obstacleOf: async () => undefined,
    log: host.log,
  });

const refusalOf = (settings: ReturnType<typeof pod>) => failureOf(startAgent(settings));

test("a second release is refused the folders of the first, by name, and changes nothing", async () => {
  await startAgent(pod("one"));
  const before = host.snapshot();
  expect(await refusalOf(pod("two"))).toStartWith(
    `HOST_DIR ${host.hostDir} belongs to the DaemonSet one/core-dump-handler`,
  );
  expect(await refusalOf(pod("one", "other"))).toContain("daemonset.hostDirectory");
  expect(host.snapshot()).toEqual(before);
});

test("the uninstall of the second takes nothing from under the first", async () => {
  await startAgent(pod("one"));
  const before = host.snapshot();
  await remove(pod("two"), host.log);
  expect(host.snapshot()).toEqual(before);
  expect(host.logLines().at(-1)).toMatchObject({
    event: "not_ours_to_remove",
    owner: "one/core-dump-handler",
  });
});

test("the first one's uninstall leaves the folders to the second", async () => {
  await startAgent(pod("one"));
  await remove(pod("one"), host.log);
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  expect(readdirSync(host.hostDir)).toEqual([]);
  await startAgent(pod("two"));
  expect(host.sysctls().pattern).toStartWith(`|${host.hostDir}/cdc `);
});

test("a DaemonSet that was made anew under its name goes on with what is there", async () => {
  await startAgent(pod("one"));
  await startAgent(pod("one"));
  expect(await otherOwner(pod("one"))).toBeUndefined();
});

test("an owner that was not seen for ten minutes is passed over; one that looked in is not", async () => {
  const long = new Date(Date.now() - OWNER_SILENT_MAX_MS - 1000);
  await startAgent(pod("one"));
  utimesSync(record(), long, long);
  await renewClaim(pod("two"));
  expect(statSync(record()).mtimeMs).toBe(long.getTime());
  await renewClaim(pod("one"));
  expect(await refusalOf(pod("two"))).toContain("belongs to");
  utimesSync(record(), long, long);
  await startAgent(pod("two"));
  expect(await otherOwner(pod("one"))).toBe("two/core-dump-handler");
  expect(host.logLines().map(({ event }) => event)).toContain("host_dir_taken_over");
});

test("the folders of an agent that ended wait a minute for its next pod, then for any other", async () => {
  await startAgent(pod("one"));
  await lapseClaim(pod("one"));
  expect(await refusalOf(pod("two"))).toMatch(/passed over in [56]\d s/);
  await startAgent(pod("one"));
  expect(await refusalOf(pod("two"))).toMatch(/passed over in (600|59\d) s/);
});

test("of two that begin at once on an empty folder one is refused", async () => {
  const claims = await Promise.allSettled(
    ["one", "two", "three"].map((namespace) => claimHostDirectory(pod(namespace), host.log)),
  );
  expect(claims.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(readdirSync(host.hostDir)).toEqual(["owner.json"]);
});

test("an install that fails gives the folder back", async () => {
  const failing = installCapture({
    settings: pod("one"),
    executable: host.executable,
    obstacleOf: async () => "no way",
    log: host.log,
  });
  expect(await failureOf(failing)).toContain("no way");
  expect(existsSync(record())).toBe(false);
});

test("outside Kubernetes there are no owners, and a removal by hand goes through", async () => {
  await startAgent(pod("one"));
  await remove(host.settings(), host.log);
  expect(readdirSync(host.hostDir)).toEqual([]);
  await startAgent(host.settings({ DOCTOR: "false" }));
  expect(existsSync(record())).toBe(false);
});

test("a record that cannot be read as one is written anew", async () => {
  writeFileSync(record(), "[]");
  await startAgent(pod("one"));
  expect(await otherOwner(pod("two"))).toBe("one/core-dump-handler");
});
