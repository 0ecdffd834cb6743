// Places for dumps, by namespace: what a limit means, whose places they are, and that they end with their holder.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { tenantOf, withinPipeLimit } from "../../../src/composer/dumps-at-once.ts";
import { NO_EVENT_FACTS } from "../../../src/composer/metadata/metadata.ts";
import type { DumpInfo } from "../../../src/model/dump-info.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const HOLDER = join(import.meta.dir, "../../support/dump-place-holder.ts");

async function hold(hostDir: string, tenant: string, limit: number) {
  const child = Bun.spawn([process.execPath, HOLDER, hostDir, tenant, String(limit)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const { value } = await child.stdout.getReader().read();
  return { child, said: new TextDecoder().decode(value).trim() };
}

test("a tenant has its places and no other's, and one is free when its holder is gone, killed too", () =>
  withFolder(async (hostDir) => {
    const [first, second] = [await hold(hostDir, "shop", 2), await hold(hostDir, "shop", 2)];
    const [third, other] = [await hold(hostDir, "shop", 2), await hold(hostDir, "bank", 2)];
    expect([first, second, third, other].map(({ said }) => said)).toEqual([
      "taken",
      "taken",
      "full",
      "taken",
    ]);
    first.child.kill("SIGKILL");
    await first.child.exited;
    const next = await hold(hostDir, "shop", 2);
    expect(next.said).toBe("taken");
    for (const { child } of [second, third, other, next]) child.kill("SIGKILL");
  }));

test("whatever was set, half of the kernel's places are left to others", () => {
  expect(withinPipeLimit(32, 128)).toBe(32);
  expect(withinPipeLimit(32, 20)).toBe(10);
  expect(withinPipeLimit(32, 1)).toBe(1);
  // The kernel has no limit.
  expect(withinPipeLimit(32, 0)).toBe(32);
});

test("places belong to a namespace that is certain, else to the pod, the container or the user", () => {
  const facts: [Partial<DumpInfo>, string][] = [
    [{ identity: "cgroup", namespace: "shop", pod_uid: "u" }, "shop"],
    [{ identity: "cgroup", namespace: null, pod_uid: "u", container_id: "c" }, "(unknown) u"],
    [{ identity: "cgroup", container_id: "c" }, "(unknown) c"],
    [{ identity: "host_process" }, "(host) 1000"],
    [{}, "(unknown) "],
  ];
  for (const [known, tenant] of facts) {
    const metadata = { verdict: { kind: "collect" }, facts: known, entries: [] } as const;
    expect(tenantOf({ ...metadata, entries: [], event: NO_EVENT_FACTS }, { uid: 1000 })).toBe(
      tenant,
    );
  }
});
