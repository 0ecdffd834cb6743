// The Deployment of `browser.enabled`, run as the chart renders it, with credentials that may only read. For
// daemonset.test.ts.
import { readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { expect } from "bun:test";
import { strToU8, zipSync } from "fflate";
import type { Bucket } from "../../support/bucket.ts";
import { deploymentPodOf } from "../../support/helm.ts";
import { failureOf } from "../../support/failure.ts";
import { startRenderedPod } from "../../support/kubelet.ts";
import { WRITER, WRITER_ACCESS_KEY } from "../../support/radosgw.ts";
import { clusterOf, type Scene } from "./life.ts";

const BUG = "1d38ea98bff9b22d";

function dump(namespace: string): Uint8Array {
  const info = { timestamp: "1764000000", exe: "app", namespace, bug: BUG, title: "SIGSEGV in a" };
  return zipSync({ "T-dump-info.json": strToU8(JSON.stringify(info)), "T.core": strToU8("core") });
}

/** The chart's values for it; the bucket then has two dumps, and a user that may only read. */
export async function browserValues(bucket: Bucket, port: number): Promise<object> {
  // The bucket has dumps of other tests too, so these namespaces are no one else's.
  for (const namespace of ["browsed", "hidden"])
    await bucket.put(`${namespace}/T.zip`, dump(namespace));
  await bucket.allow({ [WRITER]: ["s3:ListBucket", "s3:GetObject"] });
  return {
    "browser.enabled": true,
    "browser.port": port,
    "browser.namespaces": ["browsed"],
    "browser.s3AccessKey": WRITER_ACCESS_KEY,
    "browser.s3Secret": bucket.server.secret,
  };
}

/** Its page through the pod's loopback; nothing on any other address, no right and no file to write. */
export async function showPage(scene: Scene, port: number): Promise<void> {
  const { containerd, manifests } = scene;
  const pod = await startRenderedPod(containerd, deploymentPodOf(manifests), clusterOf(scene));
  try {
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    const first = await untilAnswered(
      () => get("/"),
      () => pod.log(),
    );
    expect(await first.text()).toContain("1 bug, 1 crash");
    expect((await get("/crash?key=browsed%2FT.zip")).status).toBe(200);
    expect((await get("/dump?key=hidden%2FT.zip")).status).toBe(404);
    expect(listeners(port)).toEqual(["0100007F"]);
    for (const address of ownAddresses())
      expect(await failureOf(fetch(`http://${address}:${port}/`))).not.toBe("");
    const status = statusOf(port);
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(await pod.stop()).toBe(0);
  } finally {
    await pod.end();
  }
}

async function untilAnswered(
  ask: () => Promise<Response>,
  log: () => Promise<string>,
): Promise<Response> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await ask().catch(() => undefined);
    if (answer?.ok === true) return answer;
    await Bun.sleep(100);
  }
  throw new Error(`no page:\n${await log()}`);
}

/** The local addresses, in the kernel's hex, that listen on a port; those of IPv6 too. */
function listeners(port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = "", , state]) => local.endsWith(wanted) && state === "0A")
      .map(([, local = ""]) => local.slice(0, -wanted.length)),
  );
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map(({ address }) => address);
}

function statusOf(port: number): string {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (words.includes(`serve\0--port\0${port}\0`))
        return readFileSync(`/proc/${pid}/status`, "utf8");
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error("the page's process is not to be seen");
}
