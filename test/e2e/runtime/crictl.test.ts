// The same crash told by crictl: a fake one that repeats what the real runtime says, in good health, with
// warnings on stderr, failing, and hanging. Its zip has the files of the native client's.
import { expect } from "bun:test";
import { APP_IMAGE, SHELL_IMAGE } from "../../support/containerd.ts";
import type { CriJson } from "../../support/cri-driver.ts";
import {
  crictlCalls,
  crictlObstacle,
  installFakeCrictl,
  type CrictlAnswers,
  type CrictlMode,
} from "../../support/fake-crictl.ts";
import { gatedTest } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { openZipOf, type OpenedZip } from "../../support/opened-zip.ts";
import { startPod, type PodWish, type RunningPod } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";

const suite = runtimeSuite();
const WEB: PodWish = {
  name: "web-0",
  labels: { app: "web" },
  containers: [
    { name: "app", image: APP_IMAGE, args: ["talk", "3"] },
    { name: "sidecar", image: SHELL_IMAGE, args: ["-c", "echo side; exec sleep 3600"] },
  ],
};

/** What crictl would print, from the runtime's answers to the tests' own client. */
async function answersFor(pod: RunningPod): Promise<CrictlAnswers> {
  const { cri } = suite.containerd();
  const { items } = await cri.call("ListPodSandbox");
  const { containers } = await cri.call("ListContainers", { filter: { podSandboxId: pod.id } });
  const { images } = await cri.call("ListImages");
  const unfolded = async (method: string, request: CriJson) => {
    const { status, info } = await cri.call(method, { ...request, verbose: true });
    return { status, info: JSON.parse((info as Record<string, string>)["info"] ?? "{}") };
  };
  const inspect: CrictlAnswers["inspect"] = {};
  for (const { id } of pod.containers)
    inspect[id] = await unfolded("ContainerStatus", { containerId: id });
  return {
    pods: items as CriJson[],
    inspectp: { [pod.id]: await unfolded("PodSandboxStatus", { podSandboxId: pod.id }) },
    containers: containers as CriJson[],
    images: images as CriJson[],
    inspect,
    logs: {},
  };
}

interface Crashed {
  zip: OpenedZip;
  pod: RunningPod;
  answers: CrictlAnswers;
  calls: string[];
}

function crictlTest(
  name: string,
  mode: CrictlMode,
  settings: Record<string, string | number | boolean>,
  check: (crashed: Crashed) => Promise<void>,
) {
  gatedTest(name, [...suite.obstacles, crictlObstacle()], async () => {
    const pod = await startPod(suite.containerd(), WEB);
    const answers = await answersFor(pod);
    await withComposer(suite.settings({ CRI_CLIENT: "crictl", ...settings }), async (composer) => {
      installFakeCrictl(composer.hostDir, mode, answers);
      await crashFirst({ pod });
      await composer.zips(1);
      const zip = await openZipOf("app", composer.coreDir, composer.folder);
      expect(zip.info).toMatchObject({ core_complete: true, container_id: pod.containers[0]?.id });
      await check({ zip, pod, answers, calls: crictlCalls(composer.hostDir) });
    });
  });
}

async function expectTheWholePod({ zip, pod, answers }: Crashed): Promise<void> {
  expect(zip.info).toMatchObject({ identity: "cgroup", podname: "web-0", container_name: "app" });
  expect(zip.info).toMatchObject({ image: APP_IMAGE, pod_uid: pod.uid, missing: [] });
  expect(zip.suffixes).toEqual([
    "-dump-info.json",
    ".core",
    "-pod-info.json",
    "-runtime-info.json",
    "-ps-info.json",
    ...[0, 1].flatMap((n) => [`-${n}.log`, `-${n}-image-info.json`]),
    "-summary.json",
    "-report.html",
  ]);
  const known = answers.pods as CriJson[];
  expect(await zip.json("-pod-info.json")).toEqual({ ...known.find(({ id }) => id === pod.id) });
  expect(await zip.json("-runtime-info.json")).toEqual(answers.inspectp[pod.id] as CriJson);
  const { containers } = await zip.json("-ps-info.json");
  expect(containers).toBeArrayOfSize(2);
  expect(containers).toEqual(expect.arrayContaining(answers.containers));
  const crashed = zip.info.container_index ?? -1;
  expect((containers as CriJson[])[crashed]?.["id"]).toBe(pod.containers[0]?.id);
  expect(await zip.json(`-${crashed}-image-info.json`)).toMatchObject({ repoTags: [APP_IMAGE] });
  expect(await zip.text(`-${crashed}.log`)).toContain("err 2\n");
  expect(await zip.text(`-${1 - crashed}.log`)).toBe("side\n");
}

crictlTest("crictl's answers give the files of the contract", "good", {}, expectTheWholePod);

crictlTest("crictl with warnings on stderr gives the same", "warning", {}, expectTheWholePod);

crictlTest(
  "auto asks crictl where no socket answers, with the deployed config and the owner's image command",
  "good",
  {
    CRI_CLIENT: "auto",
    CRIO_ENDPOINT: "unix:///nonexistent.sock",
    USE_CRIO_CONF: true,
    CRIO_IMAGE_CMD: "images",
  },
  async (crashed) => {
    const { zip, calls } = crashed;
    expect(zip.info.missing.map(({ what }) => what)).toEqual(["container runtime"]);
    await expectTheWholePod({ ...crashed, zip: { ...zip, info: { ...zip.info, missing: [] } } });
    expect(calls.every((call) => /^-c \/\S+\/crictl\.yaml /.test(call))).toBe(true);
    expect(calls.some((call) => call.endsWith(" images -o json"))).toBe(true);
  },
);

for (const mode of ["failing", "hanging"] as const)
  crictlTest(
    `a ${mode} crictl costs metadata, not the core`,
    mode,
    { CRI_TIMEOUT: 1 },
    async ({ zip }) => {
      expect(zip.info).toMatchObject({ podname: null, namespace: null });
      for (const suffix of ["-pod-info.json", "-runtime-info.json", "-ps-info.json"])
        expect(await zip.json(suffix)).toEqual({});
      const why = zip.info.missing.map((missing) => missing.why).join();
      expect(why).toContain(mode === "failing" ? "ended with 1" : "no answer in time");
    },
  );
