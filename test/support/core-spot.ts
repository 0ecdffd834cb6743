// A directory that stands for a container's layer or volume, with files of core's names in it.
import { closeSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRecord } from "../../src/agent/harvest/containers.ts";
import { findCore, type SpotEntry } from "../../src/agent/harvest/found-core.ts";
import { openSpot, type Spot } from "../../src/agent/harvest/spots.ts";
import { sampleCore } from "./sample-core.ts";
import { withFolder } from "./temporary-folder.ts";

/** A name as the kernel makes it. */
export const coreName = (exe: string, { pid = 1, signal = 11 } = {}) =>
  `.cdh-core.4242.4242.${pid}.${signal}.1790000000.0.1000.1000.1.${exe}~web-0`;

export interface TestSpot {
  spot: Spot;
  /** Where its cores lie. */
  directory: string;
  /** Puts a whole core there; its path. */
  put: (exe: string, sizeBytes?: number) => Promise<string>;
  find: (exe: string) => SpotEntry;
}

/** `namespace`: whose container it is; nobody's where it is left out. */
export function withSpot(
  body: (spot: TestSpot) => Promise<void>,
  { isLayer = true, namespace }: { isLayer?: boolean; namespace?: string } = {},
): Promise<void> {
  return withFolder(async (path) => {
    const directory = isLayer ? join(path, "tmp") : path;
    await mkdir(directory, { recursive: true });
    const spot: Spot = { path, isLayer, owners: new Map() };
    if (namespace !== undefined) spot.owners.set(path, containerRecord(path, { namespace }));
    const put = async (exe: string, sizeBytes = 1000) => {
      const file = join(directory, coreName(exe));
      await writeFile(file, sampleCore(sizeBytes));
      return file;
    };
    await body({ spot, directory, put, find: (exe) => find(spot, exe) });
  });
}

function find(spot: Spot, exe: string): SpotEntry {
  const fd = openSpot(spot);
  if (fd === undefined) throw new Error("no spot");
  try {
    return findCore(spot, fd, Buffer.from(coreName(exe)));
  } finally {
    closeSync(fd);
  }
}

/** A container as the runtime would tell of it. */
export function containerRecord(id: string, more: Partial<ContainerRecord> = {}): ContainerRecord {
  const pod = { id: "pod", metadata: { name: "web", namespace: "default", uid: "u" } };
  return {
    id,
    namespace: "default",
    podname: "web",
    name: "app",
    place: { kind: "none", why: "a test" },
    layers: [],
    limits: { isReadOnlyRoot: false, coreLimitBytes: null, uid: 0 },
    pod,
    container: { id, labels: {} },
    exit: undefined,
    ...more,
  };
}
