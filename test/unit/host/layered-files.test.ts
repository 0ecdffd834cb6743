// A container's files, found in its layers, which it may have filled with anything.
import { expect, test } from "bun:test";
import { closeSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openInLayers } from "../../../src/host/layered-files.ts";
import { withFolder } from "../../support/temporary-folder.ts";

/** What the file holds, or undefined where there is none. */
function read(layers: readonly string[], path: string): string | undefined {
  const fd = openInLayers(layers, path);
  if (fd === undefined) return undefined;
  const text = readFileSync(`/proc/self/fd/${fd}`, "utf8");
  closeSync(fd);
  return text;
}

const withLayers = (body: (upper: string, lower: string) => void) =>
  withFolder(async (folder) => {
    const layers = [join(folder, "upper"), join(folder, "lower")] as const;
    for (const layer of layers) mkdirSync(join(layer, "usr/bin"), { recursive: true });
    body(...layers);
  });

test("the topmost layer that has a file counts", () =>
  withLayers((upper, lower) => {
    writeFileSync(join(lower, "usr/bin/app"), "image's");
    expect(read([upper, lower], "/usr/bin/app")).toBe("image's");
    writeFileSync(join(upper, "usr/bin/app"), "container's");
    expect(read([upper, lower], "/usr/bin/app")).toBe("container's");
    expect(read([lower], "/usr/bin/app")).toBe("image's");
  }));

test("what is gone, or was never there, is not found", () =>
  withLayers((upper, lower) => {
    expect(read([upper, lower], "/usr/bin/none")).toBeUndefined();
    expect(read([upper, lower], "/usr/bin")).toBeUndefined();
    expect(read([join(upper, "gone")], "/usr/bin/app")).toBeUndefined();
    expect(read([], "/usr/bin/app")).toBeUndefined();
    for (const path of ["", "/", "usr/bin/app", "[vdso]"])
      expect(read([upper, lower], path)).toBeUndefined();
  }));

test("no link is followed, and no path leads out of a layer", () =>
  withLayers((upper, lower) => {
    const outside = join(upper, "../secret");
    writeFileSync(outside, "the node's");
    symlinkSync(outside, join(upper, "usr/bin/app"));
    symlinkSync(join(upper, ".."), join(upper, "way"));
    writeFileSync(join(lower, "usr/bin/app"), "image's");
    expect(read([upper], "/usr/bin/app")).toBeUndefined();
    expect(read([upper, lower], "/usr/bin/app")).toBe("image's");
    expect(read([upper], "/way/secret")).toBeUndefined();
    expect(read([upper], "/../secret")).toBeUndefined();
    expect(read([upper], "/usr/../../secret")).toBeUndefined();
  }));

test("a FIFO in a file's place keeps nobody waiting", () =>
  withLayers((upper, lower) => {
    expect(Bun.spawnSync(["mkfifo", join(upper, "usr/bin/app")]).success).toBe(true);
    expect(read([upper], "/usr/bin/app")).toBeUndefined();
    writeFileSync(join(lower, "usr/bin/app"), "image's");
    expect(read([upper, lower], "/usr/bin/app")).toBe("image's");
  }));
