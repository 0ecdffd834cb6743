// A core whose process, container and pod are gone: what the agent knew of them has to do.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { AttemptLog } from "../../../../src/composer/attempt.ts";
import { collectMetadata } from "../../../../src/composer/metadata/collect.ts";
import {
  identifyGone,
  type GoneCrasher,
  type KnownPod,
} from "../../../../src/composer/metadata/gone-crasher.ts";
import { readComposerSettings } from "../../../../src/config/composer-settings.ts";
import { sampleCrash } from "../../../support/sample-crash.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const ID = "c".repeat(64);
const KNOWN: KnownPod = {
  pod: {
    id: "p".repeat(64),
    metadata: { name: "web-0", namespace: "shop", uid: "11111111-2222-3333-4444-555555555555" },
    labels: { "my.org/batch": "yes" },
  },
  container: { id: ID, metadata: { name: "app" } },
  layers: ["/layers/2/fs", "/layers/1/fs"],
};

/** With a runtime that knows nothing: its socket is not there. */
async function collect(
  variables: Record<string, string>,
  known: KnownPod,
  containerId: string | null = ID,
) {
  const crash = { ...sampleCrash(), pid: 1, hostPid: process.pid };
  const gone: GoneCrasher = {
    crasher: {
      identity: identifyGone(containerId, known, crash),
      exePath: "/bin/app",
      thread: null,
    },
    known,
  };
  const attempts = new AttemptLog();
  let metadata: Awaited<ReturnType<typeof collectMetadata>> | undefined;
  await withFolder(async (hostDir) => {
    const endpoint = `unix://${join(hostDir, "none.sock")}`;
    const source = {
      CRI_CLIENT: "native",
      CRIO_ENDPOINT: endpoint,
      CRI_TIMEOUT: "1",
      ...variables,
    };
    const { settings } = readComposerSettings(source);
    const { signal } = new AbortController();
    const places = { procDir: "/proc", hostDir };
    metadata = await collectMetadata(crash, settings, attempts, signal, places, UNHEARD, gone);
  });
  return { ...metadata, missing: attempts.missing.map(({ what }) => what) };
}

const UNHEARD = { onProcessRead: () => undefined, onPolicy: () => undefined };

const pod = ({ entries }: Awaited<ReturnType<typeof collect>>) => {
  const found = entries?.find(({ suffix }) => suffix === "-pod-info.json");
  return JSON.parse(new TextDecoder().decode(found?.data)) as unknown;
};

test("the pod is told as it was, and nothing is read of whoever has the pid by now", async () => {
  const collected = await collect({ INCLUDE_PROC_INFO: "true" }, KNOWN);
  expect(collected.verdict).toEqual({ kind: "collect" });
  expect(collected.facts).toMatchObject({
    identity: "core_file",
    namespace: "shop",
    podname: "web-0",
    container_id: ID,
    container_name: "app",
    container_index: null,
    exe_path: "/bin/app",
    cgroup: null,
  });
  expect(pod(collected)).toEqual(KNOWN.pod);
  expect(collected.entries?.map(({ suffix }) => suffix)).toEqual([
    "-pod-info.json",
    "-runtime-info.json",
    "-ps-info.json",
  ]);
});

const NOBODY: KnownPod = { pod: null, container: null, layers: [] };
const RULES: [string, Record<string, string>, KnownPod, "collect" | "skip"][] = [
  ["a selector that matches", { POD_SELECTOR_LABEL: "my.org/batch=yes" }, KNOWN, "collect"],
  ["a selector that does not", { POD_SELECTOR_LABEL: "my.org/batch=no" }, KNOWN, "skip"],
  ["a namespace that is left out", { NAMESPACE_EXCLUDE: "shop" }, KNOWN, "skip"],
  ["a pod that nobody knows", { NAMESPACE_EXCLUDE: "other" }, NOBODY, "skip"],
  ["a pod that nobody knows, without rules", {}, NOBODY, "collect"],
];
for (const [what, variables, known, verdict] of RULES)
  test(`${what}: ${verdict}`, async () => {
    expect((await collect(variables, known)).verdict?.kind).toBe(verdict);
  });

test("where one of several containers has crashed, its pod is told, and no container", async () => {
  const { facts } = await collect({}, { ...KNOWN, container: null }, null);
  expect(facts).toMatchObject({ podname: "web-0", container_id: null });
  expect(facts?.container_name).toBeUndefined();
});
