// What a confined process cannot do any more, tried in one: test/fixtures/explain/confined.ts.
import { expect } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gatedTest } from "../../support/gate.ts";

const obstacle = process.getuid?.() === 0 ? undefined : "needs root";

gatedTest(
  "a confined process has its descriptors and its threads, and nothing else",
  [obstacle],
  async () => {
    const script = join(import.meta.dir, "../../fixtures/explain/confined.ts");
    const child = Bun.spawn([process.execPath, script], { stdio: ["pipe", "pipe", "inherit"] });
    const { value } = await child.stdout.getReader().read();
    const found: unknown = JSON.parse(new TextDecoder().decode(value));
    expect(found).toEqual({
      "reads an open file": "done",
      "opens a file": "EPERM",
      "makes a file": "EPERM",
      "makes a folder": "EPERM",
      "removes a file": "EPERM",
      "becomes another program": -1,
      "signals its parent": "EPERM",
      forks: -1,
      "makes a socket": -1,
      "becomes root again": -1,
      "works on other threads": "done",
    });
    const tasks = `/proc/${child.pid}/task`;
    for (const thread of readdirSync(tasks)) {
      const status = readFileSync(join(tasks, thread, "status"), "utf8");
      const field = (name: string) =>
        new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim();
      expect([field("Uid"), field("Gid"), field("Groups")]).toEqual([
        "65534\t65534\t65534\t65534",
        "65534\t65534\t65534\t65534",
        "",
      ]);
      expect([field("CapEff"), field("CapPrm"), field("NoNewPrivs"), field("Seccomp")]).toEqual([
        "0000000000000000",
        "0000000000000000",
        "1",
        "2",
      ]);
    }
    const limits = readFileSync(`/proc/${child.pid}/limits`, "utf8");
    expect(limits).toMatch(/^Max cpu time\s+20\s+20/m);
    expect(limits).toMatch(/^Max file size\s+4096\s+4096/m);
    expect(limits).toMatch(/^Max core file size\s+1\s+1/m);
    expect(limits).toMatch(/^Max open files\s+0\s+0/m);
    void child.stdin.end();
    expect(await child.exited).toBe(0);
  },
);
