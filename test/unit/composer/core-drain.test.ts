import { expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreDrain } from "../../../src/composer/core-drain.ts";
import { CORE_BLOCK_BYTES } from "../../../src/model/partial-layout.ts";
import { BASE, composeZip, type Composed, type Composition } from "../../support/composed-zip.ts";
import { FullDisk } from "../../support/full-disk.ts";
import { gatedTest } from "../../support/gate.ts";
import { withPipe } from "../../support/piped-input.ts";
import { sampleCore } from "../../support/sample-core.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const DISK_BYTES = 8 << 20;

interface Drained extends Composed {
  /** The core as unzip brings it back. */
  core: Buffer;
}

/** Drains what the script writes; unzip checks the core, its check sum included. */
function drain(
  script: string,
  composition: Partial<Composition> = {},
  files: Record<string, Uint8Array> = {},
) {
  return withFolder(async (folder): Promise<Drained> => {
    for (const [name, data] of Object.entries(files)) writeFileSync(join(folder, name), data);
    return withPipe(folder, script, async ({ fd }) => {
      const disk = new FullDisk(DISK_BYTES);
      const composed = await composeZip(fd, disk, composition);
      const zip = join(folder, `${BASE}.zip`);
      writeFileSync(zip, disk.content);
      const unzip = Bun.spawn(["unzip", "-p", zip, "*.core"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const core = Buffer.from(await unzip.stdout.bytes());
      expect(await unzip.exited).toBe(0);
      return { ...composed, core };
    });
  });
}

const B = CORE_BLOCK_BYTES;

for (const compress of [true, false]) {
  const mode = compress ? "deflated" : "stored";

  gatedTest(
    `cores of every length around a block come back as they were (${mode})`,
    [readersObstacle()],
    async () => {
      for (const sizeBytes of [120, 121, B - 1, B, B + 1, 2 * B, 4 * B, 4 * B + 1, 5 * B - 1]) {
        const sample = sampleCore(sizeBytes, sizeBytes);
        const { end, info, core } = await drain("cat core", { compress }, { core: sample });
        expect([sizeBytes, core.equals(sample)]).toEqual([sizeBytes, true]);
        expect([end, info.core_complete, info.truncated_by, info.core_bytes]).toEqual([
          "end",
          true,
          null,
          sizeBytes,
        ]);
      }
    },
    60_000,
  );

  gatedTest(
    `no input at all is an empty core, said to be cut (${mode})`,
    [readersObstacle()],
    async () => {
      const { info, core } = await drain("true", { compress });
      expect(core).toHaveLength(0);
      expect(info).toMatchObject({
        core_format: "unknown",
        core_bytes: 0,
        core_complete: false,
        truncated_by: "eof",
      });
    },
  );

  gatedTest(
    `one byte, and text, are delivered though they are no core (${mode})`,
    [readersObstacle()],
    async () => {
      for (const text of ["x", "hello, this is no core\n"]) {
        const { info, core } = await drain(`printf '${text}'`, { compress });
        expect(core.length).toBeGreaterThan(0);
        expect(info).toMatchObject({
          core_format: "unknown",
          core_complete: null,
          truncated_by: null,
        });
      }
    },
  );

  gatedTest(
    `a size limit cuts there and says so, unless the core ends there itself (${mode})`,
    [readersObstacle()],
    async () => {
      const sample = sampleCore(3 * B, 7);
      for (const limit of [1, 100, B - 1, B, B + 1, 2 * B, 3 * B - 1]) {
        const cut = await drain(
          "cat core",
          { compress, options: { maxCoreBytes: limit } },
          { core: sample },
        );
        expect(cut.core.equals(sample.subarray(0, limit))).toBe(true);
        expect([limit, cut.end, cut.info.truncated_by]).toEqual([
          limit,
          "size_limit",
          "size_limit",
        ]);
      }
      for (const limit of [3 * B, 3 * B + 1, 10 * B]) {
        const whole = await drain(
          "cat core",
          { compress, options: { maxCoreBytes: limit } },
          { core: sample },
        );
        expect([limit, whole.end, whole.info.core_complete]).toEqual([limit, "end", true]);
      }
    },
    60_000,
  );
}

gatedTest(
  "a stop ends a silent input, with all that came before it",
  [readersObstacle()],
  async () => {
    const sample = sampleCore(B + 5000, 9);
    for (const reason of ["timeout", "no_space"] as const) {
      let started: CoreDrain | undefined;
      const { end, info, core } = await drain(
        "cat core; exec sleep 60",
        {
          onDrain: (drainOfIt) => (started = drainOfIt),
          // Some of it has come then, all of it perhaps.
          options: { onFirstBytes: () => setTimeout(() => started?.stop(reason), 50) },
        },
        { core: sample },
      );
      expect(end).toBe(reason);
      expect(core.equals(sample.subarray(0, core.length))).toBe(true);
      expect(info).toMatchObject({ core_bytes: core.length, core_expected_bytes: sample.length });
    }
  },
);

gatedTest("the first reason to stop is the one that counts", [readersObstacle()], async () => {
  const { end, info } = await drain("exec yes", {
    onDrain: (started) => {
      started.stop("timeout");
      started.stop("size_limit");
    },
  });
  expect([end, info.truncated_by, info.core_bytes]).toEqual(["timeout", "timeout", 0]);
});

gatedTest("space that runs out in between ends the core there", [readersObstacle()], async () => {
  let asked = 0;
  const { info, core } = await drain("exec yes", {
    options: { hasSpace: async () => ++asked <= 3 },
  });
  expect(core.length).toBe(3 * B);
  expect(info).toMatchObject({ truncated_by: "no_space", core_bytes: 3 * B });
});

test("an input that fails ends there: what came before is kept, and the reason", () =>
  withFolder(async (folder) => {
    const fd = openSync(folder, "r");
    const { end, info } = await composeZip(fd, new FullDisk(DISK_BYTES));
    closeSync(fd);
    expect([end, info.core_complete, info.truncated_by]).toEqual(["end", false, "eof"]);
    expect(info.missing).toEqual([{ what: "core", why: expect.stringContaining("EISDIR") }]);
  }));

test("who asks is told of the first bytes once, and of the last before they are written", () =>
  withFolder((folder) =>
    withPipe(folder, "head -c 3000000 /dev/urandom", async ({ fd }) => {
      const told: string[] = [];
      const disk = new FullDisk(DISK_BYTES);
      const append = disk.append.bind(disk);
      disk.append = async (parts) => {
        // A slow disk: the last blocks are still under way when the input has ended.
        await Bun.sleep(20);
        await append(parts);
        told.push("written");
      };
      await composeZip(fd, disk, {
        compress: false,
        options: {
          onFirstBytes: () => told.push("first"),
          onLastBytes: async () => void told.push("last"),
        },
      });
      expect(told.filter((event) => event === "first")).toHaveLength(1);
      expect(told.filter((event) => event === "last")).toHaveLength(1);
      expect(told.indexOf("last")).toBeLessThan(told.lastIndexOf("written") - 1);
    }),
  ));

test("without any byte nobody is told of a first one", () =>
  withFolder((folder) =>
    withPipe(folder, "true", async ({ fd }) => {
      let first = 0;
      const options = { onFirstBytes: () => first++ };
      await composeZip(fd, new FullDisk(DISK_BYTES), { options });
      expect(first).toBe(0);
    }),
  ));

test("a disk that fails for another reason is no full disk: the error is thrown on", () =>
  withFolder((folder) =>
    withPipe(folder, "exec yes", async ({ fd }) => {
      const disk = new FullDisk(DISK_BYTES);
      const append = disk.append.bind(disk);
      disk.append = async (parts) => {
        if (disk.sizeBytes > 100_000) throw Object.assign(new Error("EIO"), { code: "EIO" });
        await append(parts);
      };
      expect(composeZip(fd, disk, { compress: false })).rejects.toThrow("EIO");
    }),
  ));
