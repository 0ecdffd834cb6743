// CAPTURE_MODE=file in the rendered pod, on a real containerd.
import { describe } from "bun:test";
import { gatedTest } from "../../support/gate.ts";
import { FILE_TRIALS, tryWithoutTmp } from "./capture-rights.ts";
import { live } from "./life.ts";
import { tryPrivileges } from "./privileges.ts";
import { openStage, sharedNode, sharedNodeObstacle, STAGE_OBSTACLES } from "./stage.ts";

const obstacles = [...STAGE_OBSTACLES, sharedNodeObstacle()];
const FILE = { "daemonset.captureMode": "file" };

describe("file capture in the rendered pod", () => {
  const { withScene } = openStage({ obstacle: sharedNodeObstacle(), wrapper: sharedNode() });

  gatedTest("the agent collects, delivers and goes", obstacles, () =>
    withScene([], FILE, (scene) => live(scene, "victim-file", "file")),
  );

  for (const trial of FILE_TRIALS)
    gatedTest(trial.name, obstacles, () =>
      withScene([], trial.values ?? {}, (scene) => tryPrivileges(scene, trial)),
    );

  gatedTest(
    "without an emptyDir at /tmp the doctor's own crash leaves nothing, and the pod is not ready",
    obstacles,
    () => withScene([], FILE, tryWithoutTmp),
  );
});
