import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openCrictlRuntime } from "../../../../src/composer/metadata/crictl-runtime.ts";
import type { Runtime } from "../../../../src/composer/metadata/runtime.ts";
import {
  crictlCalls,
  crictlObstacle,
  installFakeCrictl,
  type CrictlAnswers,
  type CrictlMode,
} from "../../../support/fake-crictl.ts";
import { failureOf } from "../../../support/failure.ts";
import { gatedTest } from "../../../support/gate.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const ID = "ab".repeat(32);
const OLD = "cd".repeat(32);
const POD = "ef".repeat(32);
const IMAGE = { id: "sha256:11", repoTags: ["app:1"], repoDigests: ["app@sha256:22"] };

const ANSWERS: CrictlAnswers = {
  pods: [{ id: POD, metadata: { name: "web-0", namespace: "default" } }],
  inspectp: { [POD]: { status: { id: POD }, info: { pid: 7 } } },
  containers: [
    { id: OLD, state: "CONTAINER_RUNNING", createdAt: "1000" },
    { id: ID, state: "CONTAINER_RUNNING", createdAt: "2000", imageRef: "sha256:11" },
  ],
  images: [{ id: "sha256:other", repoTags: [], repoDigests: [] }, IMAGE],
  inspect: {
    [ID]: { status: { id: ID, logPath: "/var/log/pods/a" }, info: { pid: 42, sandboxID: POD } },
    [OLD]: { info: { runtimeSpec: { annotations: { "io.kubernetes.cri-o.SandboxID": POD } } } },
  },
  logs: { [ID]: { stdout: "one\n", stderr: "two\nWARN is theirs\n" } },
};

const recorded: string[] = [];

function crictlTest(
  name: string,
  mode: CrictlMode,
  body: (runtime: Runtime, hostDir: string) => Promise<void>,
  { useConfig = false, timeoutMs = 20_000, answers = ANSWERS } = {},
) {
  gatedTest(name, [crictlObstacle()], () =>
    withFolder(async (hostDir) => {
      installFakeCrictl(hostDir, mode, answers);
      recorded.length = 0;
      const signal = AbortSignal.timeout(timeoutMs);
      const record = (label: string, why: string) => recorded.push(`${label}: ${why}`);
      const options = { hostDir, useConfig, imageCommand: "img" as const, signal, record };
      await body(openCrictlRuntime(options), hostDir);
    }),
  );
}

async function answersEverything(runtime: Runtime) {
  expect(await runtime.podIdOf(ID)).toBe(POD);
  expect(await runtime.podIdOf(OLD)).toBe(POD);
  expect(await runtime.pods({ id: POD })).toEqual(ANSWERS.pods as never);
  expect(await runtime.inspectPod(POD)).toEqual(ANSWERS.inspectp[POD] as never);
  const [newest, oldest] = await runtime.containers(POD);
  expect([newest?.["id"], oldest?.["id"]]).toEqual([ID, OLD]);
  expect(await runtime.image(newest ?? {})).toEqual(IMAGE);
  expect(await runtime.image({ image: { image: "app@sha256:22" } })).toEqual(IMAGE);
  expect(await runtime.image({ imageRef: "sha256:33" })).toBeNull();
  expect(await runtime.container(ID, { wantsPid: true })).toEqual({
    logPath: "/var/log/pods/a",
    pid: 42,
  });
  expect(await runtime.logs(ID, 3)).toBe("one\ntwo\nWARN is theirs\n");
}

crictlTest("every question is answered from crictl's JSON", "good", answersEverything);

crictlTest(
  "warnings on stderr are no failure, and not part of a log",
  "warning",
  answersEverything,
);

crictlTest("the arguments are the contract's", "good", async (runtime, hostDir) => {
  await answersEverything(runtime);
  await runtime.pods({ uid: "u-1" });
  await runtime.pods({ name: "web.0" });
  const calls = crictlCalls(hostDir);
  for (const expected of [
    `inspect ${ID}`,
    `pods --id ${POD} -o json`,
    `pods --label io.kubernetes.pod.uid=u-1 -o json`,
    `pods --name ^web\\.0$ -o json`,
    `inspectp ${POD}`,
    `ps -o json -p ${POD}`,
    `img -o json`,
    `logs --tail=3 ${ID}`,
  ])
    expect(calls).toContain(expected);
  // A container's inspection and the node's images are asked for once.
  expect(calls.filter((call) => call === `inspect ${ID}`)).toHaveLength(1);
  expect(calls.filter((call) => call === "img -o json")).toHaveLength(1);
});

crictlTest(
  "the deployed crictl.yaml is passed where the owner wants it",
  "good",
  async (runtime, hostDir) => {
    await runtime.pods({ id: POD });
    expect(crictlCalls(hostDir)).toEqual([`-c ${hostDir}/crictl.yaml pods --id ${POD} -o json`]);
  },
  { useConfig: true },
);

crictlTest("exit 1 is a failure that tells what crictl said last", "failing", async (runtime) => {
  expect(await failureOf(runtime.pods({ id: POD }))).toMatch(/pods .*ended with 1: FATA.*connect/);
});

crictlTest("output that is no JSON is a failure", "garbage", async (runtime) => {
  expect(await failureOf(runtime.inspectPod(POD))).toContain("printed no JSON");
});

crictlTest("output without end is not read to its end", "endless", async (runtime) => {
  expect(await failureOf(runtime.pods({ id: POD }))).toContain("printed no JSON");
});

const LONG = "<".repeat(700 * 1024);

crictlTest(
  "of an answer that is too long, what stands before its long parts counts, and it is recorded",
  "good",
  async (runtime) => {
    expect(await runtime.pods({ id: POD })).toEqual([
      { id: POD, labels: { app: "web" }, annotations: {} },
    ]);
    expect(await runtime.container(ID, { wantsPid: true })).toEqual({
      logPath: "/var/log/pods/a",
      pid: 42,
    });
    expect(recorded).toEqual(["pod-info.json: crictl printed too much: its end is left out"]);
    const log = await runtime.logs(ID, 3);
    expect(log?.length).toBe(640 * 1024);
    expect(log).toEndWith("the last line\n");
    expect(recorded).toContain(`log of ${ID}: crictl printed too much: only the end`);
  },
  {
    answers: {
      ...ANSWERS,
      pods: [{ id: POD, labels: { app: "web" }, annotations: { long: LONG } }],
      inspect: {
        [ID]: {
          status: { logPath: "/var/log/pods/a" },
          info: { pid: 42, config: { envs: [LONG] } },
        },
      },
      logs: { [ID]: { stdout: `${"line\n".repeat(200_000)}the last line\n`, stderr: "" } },
    },
  },
);

crictlTest(
  "a crictl that hangs ends with the deadline, and whatever it started",
  "hanging",
  async (runtime, hostDir) => {
    expect(await failureOf(runtime.pods({ id: POD }))).toContain("no answer in time");
    expect(await failureOf(runtime.inspectPod(POD))).toContain("no time left");
    const child = readFileSync(join(hostDir, "child"), "utf8").trim();
    expect(await untilGone(child)).toBe(true);
  },
  { timeoutMs: 500 },
);

async function untilGone(pid: string): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    const stat = await Bun.file(`/proc/${pid}/stat`)
      .text()
      .catch(() => "");
    // A zombie waits for its new parent, which may be slow to reap.
    if (stat === "" || / Z /.test(stat)) return true;
    await Bun.sleep(25);
  }
  return false;
}

gatedTest("a node without crictl is told so", [crictlObstacle()], () =>
  withFolder(async (hostDir) => {
    const record = () => undefined;
    const options = { hostDir, useConfig: false, imageCommand: "img" as const, record };
    expect(() => openCrictlRuntime({ ...options, signal: AbortSignal.timeout(1000) })).toThrow(
      `no crictl in /bin:/sbin`,
    );
  }),
);
