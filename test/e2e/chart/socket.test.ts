// CAPTURE_MODE=socket in the rendered pod, on a real containerd and with the kernel's own coredump socket.
import { describe } from "bun:test";
import { gatedTest, socketObstacle } from "../../support/gate.ts";
import { SOCKET_TRIALS } from "./capture-rights.ts";
import { live } from "./life.ts";
import { loseListener, replacePod } from "./listener-life.ts";
import { LISTENER_TRIALS, tryListener } from "./listener-rights.ts";
import { tryPrivileges } from "./privileges.ts";
import { openStage, STAGE_OBSTACLES } from "./stage.ts";

const obstacles = [...STAGE_OBSTACLES, socketObstacle()];
const SOCKET = { "daemonset.captureMode": "socket" };

describe("socket capture in the rendered pod", () => {
  const { withScene } = openStage({ obstacle: socketObstacle() });

  gatedTest("both containers catch, deliver and go", obstacles, () =>
    withScene([], { ...SOCKET, "daemonset.socketSendBuffer": "2Mi" }, (scene) =>
      live(scene, "victim-socket", "socket", { socketBuffer: "2097152" }),
    ),
  );

  gatedTest("a listener that was killed leaves no pattern that names it", obstacles, () =>
    withScene([], SOCKET, loseListener),
  );

  gatedTest("between two pods core_pattern is the node's own", obstacles, () =>
    withScene([], SOCKET, replacePod),
  );

  for (const trial of SOCKET_TRIALS)
    gatedTest(trial.name, obstacles, () =>
      withScene([], trial.values ?? {}, (scene) => tryPrivileges(scene, trial)),
    );

  for (const trial of LISTENER_TRIALS)
    gatedTest(trial.name, obstacles, () =>
      withScene([], { ...SOCKET, "composer.includeProcInfo": true }, (scene) =>
        tryListener(scene, trial),
      ),
    );
});
