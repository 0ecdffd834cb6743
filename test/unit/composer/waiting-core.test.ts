import { expect, test } from "bun:test";
import { closeSync, openSync, readSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openMemoryText } from "../../../src/host/memory-file.ts";
import { isCut, openWaitingCore } from "../../../src/composer/waiting-core.ts";
import { parseInvocation, type FileSource } from "../../../src/model/composer-invocation.ts";
import { sampleCore } from "../../support/sample-core.ts";
import { sampleCrash } from "../../support/sample-crash.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const SOURCE: FileSource = {
  kind: "file",
  containerId: null,
  knownFd: null,
  keepsCut: false,
  nodeName: null,
};
const POD = { id: "p", metadata: { uid: "11111111-2222-3333-4444-555555555555" } };

function withCore(body: (fd: number, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    await writeFile(join(folder, "core"), sampleCore(5000));
    const fd = openSync(join(folder, "core"), "r");
    try {
      await body(fd, folder);
    } finally {
      closeSync(fd);
    }
  });
}

test("the agent says whose file it is before what the crashed process may have chosen", () => {
  const { hostDir, source, args } = parseInvocation([
    "--host-dir=/h",
    "--source=file",
    "--node=node-1",
    "--container=c",
    "--known-fd=3",
    "--cut=keep",
    "-P=1",
    "--container=forged",
  ]);
  expect(hostDir).toBe("/h");
  expect(source).toEqual({
    kind: "file",
    containerId: "c",
    knownFd: 3,
    keepsCut: true,
    nodeName: "node-1",
  });
  expect(args).toEqual(["-P=1", "--container=forged"]);
});

test("looking at the core's head does not move its reader", () =>
  withCore(async (fd) => {
    openWaitingCore(fd, SOURCE, sampleCrash());
    const byte = Buffer.alloc(1);
    readSync(fd, byte, 0, 1, null);
    expect(byte[0]).toBe(0x7f);
  }));

const known = (value: unknown) => JSON.stringify(value);
type Given = Partial<FileSource> & { known?: string };
const IDENTITIES: [string, Given, { pid: number; hostPid: number }, object][] = [
  [
    "a container's",
    { containerId: "c" },
    { pid: 1, hostPid: 9 },
    { containerId: "c", podUid: null },
  ],
  [
    "a container's in a known pod",
    { containerId: "c", known: known({ pod: POD }) },
    { pid: 1, hostPid: 9 },
    { containerId: "c", podUid: POD.metadata.uid },
  ],
  [
    "one of several in a known pod",
    { known: known({ pod: POD, container: null }) },
    { pid: 7, hostPid: 9 },
    { kind: "container", containerId: null, podUid: POD.metadata.uid },
  ],
  ["the host's", {}, { pid: 9, hostPid: 9 }, { kind: "host" }],
  ["unknown", {}, { pid: 1, hostPid: 9 }, { kind: "unreadable" }],
  ["unknown: broken knowledge", { known: "{" }, { pid: 1, hostPid: 9 }, { kind: "unreadable" }],
  [
    "unknown: odd knowledge",
    { known: '{"pod":[1]}' },
    { pid: 1, hostPid: 9 },
    { kind: "unreadable" },
  ],
];
for (const [whose, { known: text, ...source }, pids, identity] of IDENTITIES)
  test(`a core is ${whose}`, () =>
    withCore(async (fd) => {
      // Taken over: openCoreFile closes it.
      const knownFd = text === undefined ? null : openMemoryText("known", text);
      const file = openWaitingCore(
        fd,
        { ...SOURCE, ...source, knownFd },
        { ...sampleCrash(), ...pids },
      );
      expect(file.gone.crasher.identity).toMatchObject(identity);
    }));

test("a dump is cut where it holds less than the file, but for the owner's limit", () => {
  const file = { sizeBytes: 1000 };
  expect(isCut(file, "end", { core_bytes: 1000 })).toBe(false);
  expect(isCut(file, "size_limit", { core_bytes: 10 })).toBe(false);
  for (const end of ["end", "timeout", "no_space"] as const)
    expect(isCut(file, end, { core_bytes: 999 })).toBe(true);
});
