import { expect, test } from "bun:test";
import { whyOutOfReach } from "../../../../src/agent/harvest/reach.ts";
import { gatedTest, mountObstacle } from "../../../support/gate.ts";
import { withSmallDisk } from "../../../support/small-disk.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

test("a place is in reach where its directory is there and may be changed", () =>
  withFolder(async (path) => {
    expect(whyOutOfReach({ kind: "mount", path })).toBeUndefined();
    expect(whyOutOfReach({ kind: "layer", upperDir: path, lowerDirs: [] })).toBeUndefined();
  }));

test("else it is said why not", () => {
  expect(whyOutOfReach({ kind: "none", why: "its root is ext4" })).toBe("its root is ext4");
  expect(whyOutOfReach({ kind: "mount", path: "/proc/nonexistent" })).toBe(
    "/proc/nonexistent cannot be seen from here",
  );
});

gatedTest("a directory that is mounted read-only does not do", [mountObstacle()], () =>
  withSmallDisk("1m", async (path) => {
    Bun.spawnSync(["mount", "-o", "remount,ro", path]);
    const place = { kind: "mount", path } as const;
    expect(whyOutOfReach(place)).toBe(`${path} cannot be written to from here`);
  }),
);
