// What of a process passes for the host's, on a /proc of the test's own.
import { expect, test } from "bun:test";
import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identifyCrasher } from "../../../../src/composer/metadata/crasher.ts";
import type { CgroupIdentity } from "../../../../src/model/cgroup-path.ts";
import type { CrashContext } from "../../../../src/model/crash-context.ts";
import { sampleCrash } from "../../../support/sample-crash.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const OWN_NAMESPACE = readlinkSync("/proc/self/ns/cgroup");
const CRASH = sampleCrash({ pid: 42, hostPid: 42, hostTid: 43 });

/** Thread 43 of process 42 crashed in this cgroup; the kernel's own threads are in this cgroup namespace. */
async function identify(
  cgroup: string,
  { crash = CRASH, namespace = OWN_NAMESPACE }: { crash?: CrashContext; namespace?: string } = {},
) {
  let found: ReturnType<typeof identifyCrasher> | undefined;
  await withFolder(async (procDir) => {
    const thread = join(procDir, "42/task/43");
    mkdirSync(thread, { recursive: true });
    writeFileSync(join(thread, "stat"), `43 (app) S ${"0 ".repeat(18)}100 0\n`);
    writeFileSync(join(thread, "cgroup"), `0::${cgroup}\n`);
    mkdirSync(join(procDir, "2/ns"), { recursive: true });
    symlinkSync(namespace, join(procDir, "2/ns/cgroup"));
    found = identifyCrasher(crash, procDir);
  });
  return found?.identity;
}

const unnamed = (path: string): CgroupIdentity => ({
  kind: "container",
  containerId: null,
  podUid: null,
  path,
});

test("a process of the host's pid namespace, in its root cgroup or a unit of it, is the host's", async () => {
  for (const path of ["/", "/system.slice/sshd.service"])
    expect(await identify(path)).toEqual({ kind: "host", path });
});

test("one with a pid namespace of its own is a container's, whatever its cgroup", async () => {
  const crash = { ...CRASH, pid: 1 };
  for (const path of ["/", "/system.slice/web.service"])
    expect(await identify(path, { crash })).toEqual(unnamed(path));
});

test("seen from within a cgroup namespace, the root is our own container's", async () => {
  const namespace = "cgroup:[1]";
  expect(await identify("/", { namespace })).toEqual(unnamed("/"));
  const path = "/../../system.slice/sshd.service";
  expect(await identify(path, { namespace })).toEqual({ kind: "host", path });
});

test("without the thread's id, one that lives is looked at", async () => {
  const crash = { ...CRASH, hostTid: null };
  const path = `/kubepods/pod${crypto.randomUUID()}`;
  expect(await identify(path, { crash })).toMatchObject({ kind: "container", path });
});
