import { expect, test } from "bun:test";
import { join } from "node:path";
import { mkdir, writeFile } from "node:fs/promises";
import { findObstacle } from "../../../../src/agent/capture/obstacle.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const CRIO_ENDPOINT = "unix:///nonexistent.sock";
const sees = () => true;
const blind = () => false;

test("a pipe has no obstacle here: the canary tells", async () => {
  const places = { PROC_ROOT: "/nonexistent", POD_NAME: "agent-1", CRIO_ENDPOINT };
  expect(await findObstacle("pipe", places, blind)).toBeUndefined();
});

test("a socket needs a kernel that has it, and sight of the host's processes", () =>
  withFolder(async (folder) => {
    await mkdir(join(folder, "sys/kernel"), { recursive: true });
    const modes = (text: string) => writeFile(join(folder, "sys/kernel/core_modes"), text);
    const places = { PROC_ROOT: folder, POD_NAME: "", CRIO_ENDPOINT };
    await modes("file\npipe\n");
    expect(await findObstacle("socket", places, sees)).toContain("core_modes does not list it");
    await modes("file\npipe\nsocket\n");
    expect(await findObstacle("socket", places, sees)).toBeUndefined();
    expect(await findObstacle("socket", places, blind)).toContain("daemonset.captureFallback=true");
  }));

test("files have none on a plain host; in a pod they need the runtime's socket at the least", async () => {
  const places = { PROC_ROOT: "/proc", CRIO_ENDPOINT };
  expect(await findObstacle("file", { ...places, POD_NAME: "" })).toBeUndefined();
  const inPod = await findObstacle("file", { ...places, POD_NAME: "agent-1" });
  expect(inPod).toContain("daemonset.captureFallback=true");
});
