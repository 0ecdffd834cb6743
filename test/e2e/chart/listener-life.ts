// Socket capture while its containers come and go: core_pattern names the socket only while somebody listens. For
// socket.test.ts.
import { expect } from "bun:test";
import { captureModeOf } from "../../../src/model/core-pattern.ts";
import { readKernel } from "../../support/borrowed-kernel.ts";
import { onNode, probe, startAgent, until, type Scene } from "./life.ts";

/** The listener's container is killed, and the kubelet starts it again. */
export async function loseListener(scene: Scene): Promise<void> {
  await onNode(scene, async (hostDir) => {
    const { corePattern } = readKernel();
    const agent = await startReady(scene);
    await agent.kill("listener");
    await until(
      agent,
      "the node's own core_pattern",
      () => readKernel().corePattern === corePattern,
    );
    expect(await agent.log()).toContain("listener_lost");
    await agent.restart("listener");
    await until(
      agent,
      "the socket",
      () => captureModeOf(readKernel().corePattern, hostDir) === "socket",
    );
    expect(await agent.exec(["/app/core-dump-agent", "remove"])).toMatchObject({ exitCode: 0 });
    await agent.stop();
  });
}

/** The pod goes and another one comes, as with an update or a node that is drained. */
export async function replacePod(scene: Scene): Promise<void> {
  await onNode(scene, async (hostDir) => {
    const { corePattern } = readKernel();
    const first = await startReady(scene);
    expect(await first.stop(30)).toBe(0);
    expect(readKernel().corePattern).toBe(corePattern);
    const second = await startReady(scene);
    expect(captureModeOf(readKernel().corePattern, hostDir)).toBe("socket");
    expect(await second.exec(["/app/core-dump-agent", "remove"])).toMatchObject({ exitCode: 0 });
    expect(await second.stop()).toBe(0);
  });
}

async function startReady(scene: Scene) {
  const agent = await startAgent(scene);
  await until(agent, "readiness", async () => (await probe(scene.port, "/readyz")) === 200);
  return agent;
}
