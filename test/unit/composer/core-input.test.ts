import { expect, test } from "bun:test";
import { closeSync, constants, fstatSync, openSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CoreInput } from "../../../src/composer/core-input.ts";
import { failureOf } from "../../support/failure.ts";
import { withPipe } from "../../support/piped-input.ts";
import { withFolder } from "../../support/temporary-folder.ts";

/** Everything until the end, as text. */
async function readAll(input: CoreInput): Promise<string> {
  const block = new Uint8Array(1000);
  let text = "";
  for (;;) {
    const count = await input.readSome(block, 0);
    if (count === 0) return text;
    text += Buffer.from(block.subarray(0, count)).toString();
  }
}

test("a pipe is read to its end, in whatever pieces it comes", () =>
  withFolder((folder) =>
    withPipe(folder, "printf abc; sleep 0.05; printf def", async ({ fd }) => {
      expect(await readAll(CoreInput.open(fd))).toBe("abcdef");
    }),
  ));

test("a file is read to its end", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    writeFileSync(path, "core\n".repeat(1000));
    const fd = openSync(path, "r");
    expect(await readAll(CoreInput.open(fd))).toBe("core\n".repeat(1000));
    closeSync(fd);
  }));

test("bytes go to the place in the block that is asked for", () =>
  withFolder((folder) =>
    withPipe(folder, "printf xy", async ({ fd }) => {
      const block = new Uint8Array(4);
      expect(await CoreInput.open(fd).readSome(block, 1)).toBe(2);
      expect([...block]).toEqual([0, 120, 121, 0]);
    }),
  ));

test("an input in non-blocking mode is waited for, not spun on or given up", () =>
  withFolder(async (folder) => {
    const fifo = join(folder, "fifo");
    Bun.spawnSync(["mkfifo", fifo]);
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const input = CoreInput.open(fd);
    const block = new Uint8Array(10);
    const reading = input.readSome(block, 0);
    const writer = Bun.spawn(["sh", "-c", `sleep 0.1; printf late >"$0"`, fifo]);
    expect(await reading).toBe(4);
    await writer.exited;
    const silent = input.readSome(block, 0);
    input.close();
    expect(await silent).toBe(0);
    closeSync(fd);
  }));

test("what cannot be read is an error that says why", () =>
  withFolder(async (folder) => {
    const fd = openSync(folder, "r");
    expect(await failureOf(CoreInput.open(fd).readSome(new Uint8Array(1), 0))).toContain("EISDIR");
    closeSync(fd);
    expect(await failureOf(CoreInput.open(9999).readSome(new Uint8Array(1), 0))).toContain("EBADF");
  }));

test("it knows whether its sender has come to an end, or was only cut short", () =>
  withFolder(async (folder) => {
    await withPipe(folder, "printf abc", async ({ fd }) => {
      const input = CoreInput.open(fd);
      input.readAhead();
      expect(await readAll(input)).toBe("abc");
      input.close();
      expect(input.hasEnded).toBe(true);
    });
    await withPipe(folder, "exec yes", async ({ fd }) => {
      const input = CoreInput.open(fd);
      await input.readSome(new Uint8Array(1000), 0);
      input.close();
      expect(await input.readSome(new Uint8Array(1000), 0)).toBe(0);
      expect(input.hasEnded).toBe(false);
    });
  }));

test("closed, it lets its writer go while the descriptor stays taken", () =>
  withFolder((folder) =>
    withPipe(folder, "exec yes", async ({ fd, writer }) => {
      const input = CoreInput.open(fd);
      await input.readSome(new Uint8Array(1000), 0);
      input.close();
      input.close();
      await writer.exited;
      expect(writer.signalCode).toBe("SIGPIPE");
      expect(fstatSync(fd).rdev).toBe(statSync("/dev/null").rdev);
    }),
  ));
