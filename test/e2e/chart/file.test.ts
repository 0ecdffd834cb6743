// CAPTURE_MODE=file in the rendered pod, on a real containerd whose mounts are shared, as on a node with systemd.
import { describe } from "bun:test";
import { findProgram, gatedTest, missingProgram } from "../../support/gate.ts";
import { live } from "./life.ts";
import { openStage, STAGE_OBSTACLES } from "./stage.ts";

const obstacle = missingProgram("prlimit") ?? missingProgram("unshare");
/** Containers inherit containerd's RLIMIT_CORE, and mounts follow a node's only where they are shared. */
const WRAPPER = [
  findProgram("unshare") ?? "unshare",
  "--mount",
  "--propagation=shared",
  findProgram("prlimit") ?? "prlimit",
  "--core=unlimited",
];
const FILE = { "daemonset.captureMode": "file" };

describe("file capture in the rendered pod", () => {
  const { withScene } = openStage({ obstacle, wrapper: WRAPPER });

  gatedTest("the agent collects, delivers and goes", [...STAGE_OBSTACLES, obstacle], () =>
    withScene([], FILE, (scene) => live(scene, "victim-file", "file")),
  );
});
