// What the host decides where the settings leave it open.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { adaptToHost } from "../../../../src/agent/install/host-settings.ts";
import { readAgentSettings } from "../../../../src/config/agent-settings.ts";
import { exists } from "../../../../src/host/files.ts";
import { USUAL_SOCKETS } from "../../../../src/model/runtime-socket.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

async function ignoresRuntime(environment: Record<string, string>): Promise<boolean> {
  const adapted = await adaptToHost(readAgentSettings(environment), environment);
  return adapted.composer.IGNORE_CRIO;
}

/** A machine with a runtime of its own answers for itself. */
async function hasRuntime(): Promise<boolean> {
  return (await Promise.all(USUAL_SOCKETS.map((path) => exists(path)))).includes(true);
}

test("a host without any runtime's socket is not asked about pods", async () => {
  const CRIO_ENDPOINT = "unix:///no/such/runtime.sock";
  expect(await ignoresRuntime({ CRIO_ENDPOINT })).toBe(!(await hasRuntime()));
});

test("one socket is enough to be asked", async () => {
  await withFolder(async (folder) => {
    const socket = join(folder, "runtime.sock");
    await Bun.write(socket, "");
    expect(await ignoresRuntime({ CRIO_ENDPOINT: `unix://${socket}` })).toBe(false);
  });
});

test("what was set stays, and in a pod there is a runtime", async () => {
  const CRIO_ENDPOINT = "unix:///no/such/runtime.sock";
  expect(await ignoresRuntime({ CRIO_ENDPOINT, COMP_IGNORE_CRIO: "false" })).toBe(false);
  expect(await ignoresRuntime({ CRIO_ENDPOINT, POD_NAME: "agent-x" })).toBe(false);
});

test("an endpoint that is no socket is left for the doctor to explain", async () => {
  expect(await ignoresRuntime({ CRIO_ENDPOINT: "tcp://1.2.3.4:5" })).toBe(false);
});

test("the port is this machine's own on a plain host, and the pod's in a pod, unless it was set", async () => {
  const address = async (environment: Record<string, string>) =>
    (await adaptToHost(readAgentSettings(environment), environment)).HTTP_ADDRESS;
  expect(await address({})).toBe("127.0.0.1");
  expect(await address({ HTTP_ADDRESS: "0.0.0.0" })).toBe("0.0.0.0");
  expect(await address({ POD_NAME: "agent-x" })).toBe("");
});
