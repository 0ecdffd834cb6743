// The DaemonSet's pod as the chart renders it, run for real: the image of Dockerfile.gnu on containerd, with
// the volumes, variables and security context of the rendering. A crash in another pod reaches the store, an
// update leaves the composer, an uninstall leaves the host as it was; and each privilege is tried without.
import { describe } from "bun:test";
import { gatedTest } from "../../support/gate.ts";
import { freePorts } from "../../support/radosgw.ts";
import { browserValues, showPage } from "./browser.ts";
import { CLOUDS, withCloud } from "./clouds.ts";
import { live, uninstallDead } from "./life.ts";
import { TRIALS, tryPrivileges } from "./privileges.ts";
import { openStage, STAGE_OBSTACLES } from "./stage.ts";

const FILES = ["", "values.aws.yaml", "values.gke-cos.yaml", "values.openshift.yaml"];

describe("the rendered pod", () => {
  const { withScene, bucket } = openStage();

  for (const file of FILES)
    gatedTest(`of ${file || "the defaults"} catches, delivers and goes`, STAGE_OBSTACLES, () =>
      withScene(file === "" ? [] : [file], {}, (scene) =>
        live(scene, `victim-${FILES.indexOf(file)}`),
      ),
    );

  for (const cloud of CLOUDS)
    gatedTest(
      `of ${cloud.file} delivers to its cloud's store without a key`,
      [...STAGE_OBSTACLES, ...cloud.obstacles],
      () => withCloud(cloud, withScene, (scene) => live(scene, `victim-${cloud.name}`)),
    );

  gatedTest(
    "whose container does not run is cleaned up after, and a second release is refused its folders",
    STAGE_OBSTACLES,
    () =>
      withScene([], {}, (scene) =>
        withScene([], { fullnameOverride: "second" }, (second) => uninstallDead(scene, second)),
      ),
  );

  gatedTest(
    "of browser.enabled shows its page on its loopback alone",
    STAGE_OBSTACLES,
    async () => {
      const [port = 0] = await freePorts(1);
      const values = await browserValues(bucket(), port);
      await withScene([], values, (scene) => showPage(scene, port));
    },
  );

  for (const trial of TRIALS)
    gatedTest(trial.name, STAGE_OBSTACLES, () =>
      withScene([], trial.values ?? {}, (scene) => tryPrivileges(scene, trial)),
    );
});
