// Kernels that do not speak the coredump protocol as we know it, at the other end of a real socket.
import { expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { admit } from "../../../../src/composer/socket/admission.ts";
import { connectionOf } from "../../../../src/composer/socket/connection.ts";
import { parseCommandLine } from "../../../../src/composer/command-line.ts";
import { readEnvironment } from "../../../../src/composer/environment.ts";
import { MetadataTask } from "../../../../src/composer/metadata-task.ts";
import { acceptConnection, listenAt } from "../../../../src/host/coredump-socket.ts";
import { ComposerLog } from "../../../../src/host/composer-log.ts";
import { failureOf } from "../../../support/failure.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

/** Why a crash is not taken whose kernel begins with these bytes. */
function refusalOf(opening: Uint8Array): Promise<string> {
  return withFolder(async (hostDir) => {
    const path = join(hostDir, "kernel.sock");
    const listener = listenAt(path, 1);
    const kernel = connect(path);
    await once(kernel, "connect");
    kernel.end(opening);
    const fd = acceptConnection(listener) ?? -1;
    const commandLine = parseCommandLine([], 0);
    const environment = await readEnvironment(hostDir, commandLine);
    const never = () => Promise.reject(new Error("not asked for here"));
    const deadline = new AbortController().signal;
    const metadata = new MetadataTask({ collect: never, fallback: never as never, deadline });
    try {
      const connection = connectionOf(fd, commandLine.crash, []);
      return await failureOf(
        admit(connection, metadata, environment, new ComposerLog(hostDir, "u")),
      );
    } finally {
      for (const one of [fd, listener]) closeSync(one);
      kernel.destroy();
    }
  });
}

/** struct coredump_req of a kernel whose acks are `ackBytes` long. */
function request(ackBytes: number): Uint8Array {
  return new Uint8Array(new Uint32Array([16, ackBytes, 0, 0]).buffer);
}

test("a request whose answer we cannot form is refused with a reason", async () => {
  expect(await refusalOf(request(4))).toContain("the kernel's request is not understood");
});

test("a request that ends too soon is refused, too", async () => {
  expect(await refusalOf(request(16).subarray(0, 8))).toContain("not understood (8 bytes)");
});
