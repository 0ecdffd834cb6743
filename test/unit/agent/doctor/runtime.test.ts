// The runtime's socket as the doctor sees it. Another runtime on this machine may answer: then it is a warning.
import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { join } from "node:path";
import { doctorSays } from "../../../support/doctor.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

async function runtimeVerdict(environment: Record<string, string>) {
  const findings = await doctorSays(environment, { only: ["container runtime"] });
  return findings["container runtime"];
}

test("a socket where nobody listens any more is named", async () => {
  await withFolder(async (folder) => {
    const socket = join(folder, "dead.sock");
    // A socket file whose listener is gone, as a killed runtime leaves it.
    await Bun.spawn([
      "python3",
      "-c",
      `import socket; socket.socket(socket.AF_UNIX).bind("${socket}")`,
    ]).exited;
    const verdict = await runtimeVerdict({ CRIO_ENDPOINT: `unix://${socket}` });
    expect(["failed", "warning"]).toContain(verdict?.status ?? "");
    expect(`${verdict?.found} ${verdict?.evidence}`).toContain(socket);
    expect(verdict?.remedy).toContain("CRIO_ENDPOINT");
  });
});

test("a socket that takes the connection and never answers is named within seconds", async () => {
  await withFolder(async (folder) => {
    const socket = join(folder, "silent.sock");
    const server = createServer(() => undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(socket, resolve);
    await promise;
    const verdict = await runtimeVerdict({ CRIO_ENDPOINT: `unix://${socket}` });
    server.close();
    expect(["failed", "warning"]).toContain(verdict?.status ?? "");
    expect(`${verdict?.found} ${verdict?.evidence}`).toContain(socket);
  });
}, 30_000);

test("an endpoint that is no unix socket is refused by its name", async () => {
  const verdict = await runtimeVerdict({ CRIO_ENDPOINT: "tcp://1.2.3.4:5" });
  expect(verdict?.status).toBe("failed");
  expect(verdict?.found).toContain("tcp://1.2.3.4:5 is no unix socket");
});

test("where no pods are asked about, no runtime is needed", async () => {
  const verdict = await runtimeVerdict({ COMP_IGNORE_CRIO: "true" });
  expect(verdict?.status).toBe("skipped");
});
