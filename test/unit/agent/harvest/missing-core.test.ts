import { expect, test } from "bun:test";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dumpingSignalOf, findReason } from "../../../../src/agent/harvest/missing-core.ts";
import { containerRecord } from "../../../support/core-spot.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

test("only a signal that dumps core makes a core missing", () => {
  const dumping = Array.from({ length: 256 }, (_, code) => code).filter(
    (code) => dumpingSignalOf(code) !== undefined,
  );
  expect(dumping.map((code) => code - 128)).toEqual([3, 4, 5, 6, 7, 8, 11, 24, 25, 31]);
});

/** The reason for a container of user 1000 whose layers are made so, the topmost first. */
async function reasonOf(make: (upper: string, lower: string) => Promise<unknown>): Promise<string> {
  let reason = "";
  await withFolder(async (folder) => {
    const [upperDir, lower] = [join(folder, "upper"), join(folder, "lower")];
    await mkdir(upperDir);
    await mkdir(lower);
    await make(upperDir, lower);
    const limits = { isReadOnlyRoot: false, coreLimitBytes: null, uid: 1000 };
    const place = { kind: "layer", upperDir, lowerDirs: [lower] } as const;
    reason = findReason(containerRecord("a", { place, limits }));
  });
  return reason;
}

async function makeTmp(layer: string, mode: number): Promise<void> {
  await mkdir(join(layer, "tmp"));
  await chmod(join(layer, "tmp"), mode);
}

test("an image without a /tmp", async () => {
  expect(await reasonOf(async () => undefined)).toBe("it has no /tmp");
});

test("a /tmp that is something else", async () => {
  const link = await reasonOf((upper) => symlink("/var/tmp", join(upper, "tmp")));
  expect(link).toBe("/tmp is a symbolic link, which is not followed");
  const file = await reasonOf((_, lower) => writeFile(join(lower, "tmp"), ""));
  expect(file).toBe("its /tmp is no directory");
});

test("a /tmp that the user may not write to; the container's own layer counts before the image's", async () => {
  expect(await reasonOf((_, lower) => makeTmp(lower, 0o755))).toBe(
    "user 1000 may not write to its /tmp",
  );
  const opened = await reasonOf(async (upper, lower) => {
    await makeTmp(lower, 0o755);
    await makeTmp(upper, 0o1777);
  });
  expect(opened).toMatch(/^unknown: /);
});

const layer = { kind: "layer", upperDir: "/proc/nonexistent", lowerDirs: [] } as const;
const limits = { isReadOnlyRoot: false, coreLimitBytes: null, uid: 0 };
const REASONS: [string, Parameters<typeof containerRecord>[1], string][] = [
  ["a place that cannot be reached", {}, "a test"],
  ["a read-only root", { place: layer, limits: { ...limits, isReadOnlyRoot: true } }, "read-only"],
  [
    "RLIMIT_CORE",
    { place: layer, limits: { ...limits, coreLimitBytes: 0 } },
    "its RLIMIT_CORE is 0",
  ],
  ["a layer that cannot be seen", { place: layer }, "unknown: "],
  [
    "a volume over a read-only root",
    { place: { kind: "mount", path: "/v" }, limits: { ...limits, isReadOnlyRoot: true } },
    "unknown: ",
  ],
];
for (const [what, more, reason] of REASONS)
  test(`${what}: ${reason}`, () =>
    expect(findReason(containerRecord("a", more))).toContain(reason));
