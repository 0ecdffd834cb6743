// The previous handler as a real process: it gets every byte and its own arguments, and cannot hold a core for ever.
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ComposerLog } from "../../../src/host/composer-log.ts";
import { startPreviousHandler } from "../../../src/composer/previous-handler.ts";
import type { CrashContext } from "../../../src/model/crash-context.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const CRASH: CrashContext = {
  hostPid: 7,
  hostTid: 8,
  pid: 7,
  signal: 11,
  timestampSeconds: 1_700_000_000,
  limitSize: "0",
  uid: 1000,
  gid: 1000,
  dumpable: 1,
  pidfd: null,
  hostname: "a host",
  exeName: "app",
  pathname: "!usr!bin!app",
};
const HOST_CGROUP = "0::/user.slice/user-0.slice/session-1.scope\n";
const QUADLET_CGROUP = `0::/system.slice/web.service/libpod-payload-${"a".repeat(64)}\n`;
const POD_CGROUP = `0::/kubepods/besteffort/pod01234567-89ab-cdef-0123-456789abcdef/${"a".repeat(64)}\n`;

function writeThread(folder: string, state: string, cgroup: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "cgroup"), cgroup);
  writeFileSync(join(folder, "stat"), `7 (app) ${state} ${"0 ".repeat(18)}100 0\n`);
}

/** A script as handler, and a /proc in which process 7 is in this cgroup. */
async function withHandler(
  script: string,
  cgroup: string,
  body: (
    start: (holdMaxMs?: number, pid?: number) => ReturnType<typeof startPreviousHandler>,
    output: string,
    logged: () => string,
  ) => Promise<void>,
) {
  await withFolder(async (folder) => {
    const [handler, output] = [join(folder, "handler"), join(folder, "output")];
    writeFileSync(handler, `#!/bin/sh\n${script.replaceAll("OUTPUT", output)}\n`);
    chmodSync(handler, 0o755);
    writeThread(join(folder, "proc/7/task/8"), "S", cgroup);
    // Its first thread has ended, as main() called pthread_exit.
    writeThread(join(folder, "proc/7/task/7"), "Z", "1:name=systemd:/\n");
    writeThread(join(folder, "proc/7"), "Z", "1:name=systemd:/\n");
    const log = new ComposerLog(folder, "u", "debug");
    const start = (holdMaxMs = 5_000, pid = 7) =>
      startPreviousHandler(`|${handler} %P %u %h %f`, { ...CRASH, pid }, log, {
        procDir: join(folder, "proc"),
        holdMaxMs,
      });
    const logged = () => {
      try {
        return readFileSync(join(folder, "composer.log"), "utf8");
      } catch {
        return "";
      }
    };
    await body(start, output, logged);
  });
}

async function contentOf(path: string, sizeBytes: number): Promise<Buffer> {
  for (;;) {
    const found = (await Bun.file(path).exists()) ? readFileSync(path) : Buffer.alloc(0);
    if (found.length >= sizeBytes) return found;
    await Bun.sleep(10);
  }
}

test("it gets its own arguments and every byte in order, though blocks are used again", async () => {
  const script = 'printf "%s|" "$@" > OUTPUT.args; cat > OUTPUT';
  await withHandler(script, HOST_CGROUP, async (start, output, logged) => {
    const handler = start();
    const block = new Uint8Array(300_000);
    const sent: Buffer[] = [];
    for (let n = 0; n < 20; n++) {
      block.fill(n);
      sent.push(Buffer.from(block));
      await handler?.take(block);
      block.fill(255);
    }
    await handler?.end();
    const whole = Buffer.concat(sent);
    expect((await contentOf(output, whole.length)).equals(whole)).toBe(true);
    expect(readFileSync(`${output}.args`, "utf8")).toBe("7|1000|a host|app|");
    expect(logged()).toBe("");
  });
});

test("a process in a container is not its business, nor one that is gone", async () => {
  for (const cgroup of [POD_CGROUP, QUADLET_CGROUP, "0::/default/redis\n"])
    await withHandler("cat > OUTPUT", cgroup, async (start) => {
      expect(start()).toBeUndefined();
    });
  // With a pid namespace of its own and no cgroup (podman run --cgroups=disabled).
  await withHandler("cat > OUTPUT", HOST_CGROUP, async (start) => {
    expect(start(5_000, 1)).toBeUndefined();
  });
  await withHandler("cat > OUTPUT", "no cgroup at all", async (start) => {
    expect(start()).toBeUndefined();
  });
});

test("one that never reads is given up after its bound, and said", async () => {
  await withHandler("exec sleep 1000", HOST_CGROUP, async (start, _output, logged) => {
    const handler = start(200);
    const block = new Uint8Array(1 << 20);
    for (let n = 0; n < 50; n++) await handler?.take(block);
    await handler?.end();
    expect(logged()).toContain("previous_handler_failed");
    expect(logged()).toContain("it took more than 200 ms");
  });
});

test("one that ends early costs nothing", async () => {
  await withHandler("exit 0", HOST_CGROUP, async (start, _output, logged) => {
    const handler = start();
    for (let n = 0; n < 20; n++) await handler?.take(new Uint8Array(100_000));
    await handler?.end();
    expect(logged()).toBe("");
  });
});

test("one that is not there is said, and the dump goes on", async () => {
  await withFolder(async (folder) => {
    writeThread(join(folder, "proc/7/task/8"), "S", HOST_CGROUP);
    const log = new ComposerLog(folder, "u", "debug");
    const procDir = join(folder, "proc");
    expect(startPreviousHandler("|/no/such/handler %P", CRASH, log, { procDir })).toBeUndefined();
    expect(readFileSync(join(folder, "composer.log"), "utf8")).toContain("/no/such/handler");
  });
});
