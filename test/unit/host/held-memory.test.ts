// A stopped process stands for one that the kernel holds: the same files of /proc.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  openHeldMemory,
  openHeldModules,
  type HeldModules,
} from "../../../src/host/held-memory.ts";
import { isElf } from "../../../src/explain/elf-header.ts";
import { ElfFile } from "../../../src/explain/elf-file.ts";

interface Mapping {
  start: bigint;
  end: bigint;
  path: string;
}

async function withStopped(body: (procDir: string, program: Mapping) => void): Promise<void> {
  const child = Bun.spawn(["sleep", "100"], { stdio: ["ignore", "ignore", "ignore"] });
  try {
    const procDir = `/proc/${child.pid}`;
    while (!readFileSync(`${procDir}/comm`, "utf8").startsWith("sleep")) await Bun.sleep(1);
    child.kill("SIGSTOP");
    const first = /^([0-9a-f]+)-([0-9a-f]+) r\S+ 0+ \S+ \d+\s+(\/.*)$/m.exec(
      readFileSync(`${procDir}/maps`, "utf8"),
    );
    const [, start = "0", end = "0", path = ""] = first ?? [];
    body(procDir, { start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), path });
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

test("memory is read by address, and what is not mapped is empty", async () => {
  await withStopped((procDir, { start }) => {
    const memory = openHeldMemory(procDir);
    expect(isElf(memory.read(start, 64))).toBe(true);
    expect(memory.read(8n, 8)).toHaveLength(0);
    expect(memory.read(2n ** 64n - 8n, 8)).toHaveLength(0);
    expect(memory.read(-1n, 8)).toHaveLength(0);
    memory.close();
  });
});

test("the file that is mapped is opened, whatever its name is now, and stays good after the process's end", async () => {
  let program: ElfFile | undefined;
  let opened: HeldModules | undefined;
  await withStopped((procDir, { start, end }) => {
    const modules = openHeldModules(procDir);
    opened = modules;
    const [found] = modules.find({ path: "/renamed", buildId: null, start, end });
    if (found === undefined || "missing" in found) throw new Error(`not found: ${found?.missing}`);
    program = new ElfFile(found.bytes, true);
    const [none] = modules.find({ path: "/x", buildId: null, start: 0n, end: 4096n });
    expect(none).toEqual({ missing: "its mapping cannot be opened: ENOENT" });
  });
  expect(program?.sections.has(".eh_frame")).toBe(true);
  opened?.close();
});
