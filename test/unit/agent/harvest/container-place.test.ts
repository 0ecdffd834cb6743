import { expect, test } from "bun:test";
import {
  parseCoreLimits,
  parseLayerPlace,
  parseMountPlace,
} from "../../../../src/agent/harvest/container-place.ts";

const overlay = (...options: string[]) => [{ type: "overlay", source: "overlay", options }];

test("an overlay's upper directory takes the cores", () => {
  const mounts = overlay(
    "index=off",
    "workdir=/c/5/work",
    "upperdir=/c/5/fs",
    "lowerdir=/c/2/fs:/c/1/fs",
  );
  expect(parseLayerPlace(mounts)).toEqual({
    kind: "layer",
    upperDir: "/c/5/fs",
    lowerDirs: ["/c/2/fs", "/c/1/fs"],
  });
});

test("what the overlay is made of may be mounts as well", () => {
  const layer = { type: "erofs", source: "/c/2/layer.erofs", options: ["ro"] };
  const mounts = [layer, ...overlay("upperdir=/c/5/fs", "lowerdir={{ mount 0 }}")];
  expect(parseLayerPlace(mounts)).toMatchObject({ kind: "layer", upperDir: "/c/5/fs" });
});

test("a plain directory does too (no layers, native snapshotter)", () => {
  const mounts = [{ type: "bind", source: "/c/7/fs", options: ["rw", "rbind"] }];
  expect(parseLayerPlace(mounts)).toEqual({ kind: "layer", upperDir: "/c/7/fs", lowerDirs: [] });
});

for (const [what, mounts] of Object.entries({
  "a block device": [{ type: "ext4", source: "/dev/mapper/x", options: [] }],
  "a read-only view": [{ type: "bind", source: "/c/7/fs", options: ["ro", "rbind"] }],
  "an overlay without an upper directory": overlay("lowerdir=/c/2/fs:/c/1/fs"),
  "a relative upper directory": overlay("upperdir=5/fs"),
  nothing: [],
}))
  test(`${what} is no place for cores, and says so`, () => {
    const place = parseLayerPlace(mounts);
    expect(place.kind).toBe("none");
    expect(place).toHaveProperty("why", expect.stringContaining("only overlayfs is supported"));
  });

const spec = (...mounts: object[]) => JSON.parse(JSON.stringify({ mounts }));
const proc = { destination: "/proc", type: "proc", source: "proc" };
const bind = { destination: "/tmp", type: "bind", source: "/pods/u/tmp", options: ["rbind", "rw"] };

test("without a mount over /tmp the layer counts", () => {
  expect(parseMountPlace(spec(proc, { ...bind, destination: "/tmp/cache" }))).toBeUndefined();
  expect(parseMountPlace(null)).toBeUndefined();
});

test("a volume over /tmp counts instead; of several the last, which is on top", () => {
  expect(parseMountPlace(spec(proc, bind))).toEqual({ kind: "mount", path: "/pods/u/tmp" });
  const again = { ...bind, destination: "/tmp/", source: "/pods/u/other" };
  expect(parseMountPlace(spec(bind, again))).toEqual({ kind: "mount", path: "/pods/u/other" });
});

test("a volume that is read-only, or the container's own memory, is none, and says so", () => {
  const readOnly = parseMountPlace(spec({ ...bind, options: ["rbind", "ro"] }));
  expect(readOnly).toEqual({ kind: "none", why: "what is mounted at /tmp is read-only" });
  const memory = parseMountPlace(spec({ ...bind, type: "tmpfs", source: "tmpfs" }));
  expect(memory).toHaveProperty("why", expect.stringContaining("a tmpfs of the container's own"));
});

test("limits as the runtime tells them, or as the kernel has them by default", () => {
  const rlimits = [
    { type: "RLIMIT_NOFILE", soft: 1 },
    { type: "RLIMIT_CORE", soft: 0, hard: 0 },
  ];
  const told = { root: { readonly: true }, process: { rlimits, user: { uid: 7 } } };
  expect(parseCoreLimits(told)).toEqual({ isReadOnlyRoot: true, coreLimitBytes: 0, uid: 7 });
  const untold = { isReadOnlyRoot: false, coreLimitBytes: null, uid: 0 };
  expect(parseCoreLimits({ root: { path: "rootfs" } })).toEqual(untold);
  expect(parseCoreLimits(null)).toEqual(untold);
});
