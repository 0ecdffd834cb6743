import { expect, test } from "bun:test";
import { join } from "node:path";

/** In a process of its own: this one's memory is everybody's. */
const PROGRAM = `
  import { readFileSync } from "node:fs";
  import { forgetStartupCode } from ${JSON.stringify(join(import.meta.dir, "../../../src/host/startup-code.ts"))};
  const fileKib = () => Number(/^RssFile:\\s+(\\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  fileKib();
  const before = fileKib();
  const done = forgetStartupCode();
  const after = fileKib();
  console.log(JSON.stringify({ done, before, after, sum: [1, 2, 3].reduce((a, b) => a + b) }));
`;

test("code that was needed for the start alone is no longer in memory, and the program goes on", async () => {
  const child = Bun.spawn([process.execPath, "-e", PROGRAM], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said: { done: boolean; before: number; after: number; sum: number } = JSON.parse(
    await child.stdout.text(),
  );
  expect(said).toMatchObject({ done: true, sum: 6 });
  expect(said.after).toBeLessThan(said.before - 8 * 1024);
});
