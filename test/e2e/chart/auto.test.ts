// CAPTURE_MODE=auto in the rendered pod: which way it takes, with the rights for all of them and without. A folder that
// is mounted noexec stands in for a policy that lets the kernel start no program of ours.
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "bun:test";
import { gatedTest, socketObstacle } from "../../support/gate.ts";
import { runTool } from "../../support/run-tool.ts";
import { chooseOnNode } from "./capture-rights.ts";
import { live } from "./life.ts";
import { tryPrivileges } from "./privileges.ts";
import { openStage, sharedNode, sharedNodeObstacle, STAGE_OBSTACLES } from "./stage.ts";

const obstacle = sharedNodeObstacle() ?? socketObstacle();
const obstacles = [...STAGE_OBSTACLES, obstacle];
const FALLBACK = { "daemonset.captureFallback": true };

describe("auto in the rendered pod", () => {
  const folder = openNoexecFolder();
  // After the folder: its containerd has a copy of the mounts that there are when it starts.
  const { withScene } = openStage({ obstacle, wrapper: sharedNode() });

  gatedTest("with all rights it takes the pipe where that works", obstacles, () =>
    withScene([], FALLBACK, (scene) => chooseOnNode(scene, "pipe")),
  );

  gatedTest("with all rights it takes the socket where HOST_DIR is noexec", obstacles, () =>
    withScene([], { ...FALLBACK, ...below(folder()) }, (scene) => chooseOnNode(scene, "socket")),
  );

  gatedTest(
    "of values.aws.bottlerocket.yaml it catches, delivers and goes, by socket",
    obstacles,
    () =>
      withScene(["values.aws.bottlerocket.yaml"], below(folder()), (scene) =>
        live(scene, "victim-bottlerocket", "socket"),
      ),
  );

  gatedTest("without them there is no way on such a node, and the value is named", obstacles, () =>
    withScene([], below(folder()), (scene) =>
      tryPrivileges(scene, {
        name: "",
        expected: { installs: false, says: "daemonset.captureFallback=true" },
      }),
    ),
  );
});

/** HOST_DIR and the others below it. */
function below(folder: string): object {
  const hostDirectory = join(folder, "cdh");
  return {
    "daemonset.hostDirectory": hostDirectory,
    "daemonset.coreDirectory": join(hostDirectory, "cores"),
    "daemonset.eventDirectory": join(hostDirectory, "events"),
  };
}

/** Its path is short: core_pattern has room for 127 characters. */
function openNoexecFolder(): () => string {
  let folder = "";
  const runs = obstacles.every((each) => each === undefined);
  beforeAll(async () => {
    if (!runs) return;
    folder = mkdtempSync("/mnt/cdh-");
    await runTool(["mount", "-t", "tmpfs", "-o", "noexec,size=256m", "none", folder]);
  });
  afterAll(async () => {
    if (!runs) return;
    await runTool(["umount", "-l", folder]);
    rmSync(folder, { recursive: true });
  });
  return () => folder;
}
