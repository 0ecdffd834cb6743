// The first command that a newcomer runs: it tells its story within a screen's width, and gives back the
// kernel's settings, however it ends.
import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../build/targets.ts";
import { readKernel, readKernelAtRest } from "../../support/borrowed-kernel.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";

const SCREEN_COLUMNS = 80;

function startDemo(...args: string[]) {
  return Bun.spawn([process.execPath, join(ROOT, "build/demo.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 600_000,
    killSignal: "SIGKILL",
  });
}

/** Everything said until `text` comes up, or until the end. */
async function readUntil(stream: ReadableStream<Uint8Array>, text: string): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let said = "";
  while (!said.includes(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    said += decoder.decode(value, { stream: true });
  }
  return said;
}

gatedTest("the demo goes through the kernel and fits a screen", [kernelObstacle()], async () => {
  const before = await readKernelAtRest();
  const demo = startDemo();
  const said = await demo.stdout.text();
  expect(await demo.exited).toBe(0);
  expect(said).toMatch(/^The crashed process was held for \d+\.\d s\.$/m);
  expect(said).toMatch(/^ {2}core_complete +true$/m);
  expect(said.split("\n").filter((line) => line.length > SCREEN_COLUMNS)).toEqual([]);
  const [, zip = ""] = /^ {2}(\/tmp\/cdh-demo-\S+\.zip)$/m.exec(said) ?? [];
  expect(zip).not.toBe("");
  expect(existsSync(zip)).toBe(false);
  const [, report = "", title = ""] =
    /^The crash as a page, for any browser: (\S+)\n {2}(.+)$/m.exec(said) ?? [];
  expect(title).toStartWith("SIGSEGV");
  expect(readFileSync(join(ROOT, report), "utf8")).toContain("Content-Security-Policy");
  expect(await readKernelAtRest()).toEqual(before);
});

gatedTest("--serve shows the demo's crash until Ctrl-C", [kernelObstacle()], async () => {
  const demo = startDemo("--serve");
  const said = await readUntil(demo.stdout, "Ctrl-C ends it.");
  const [url = ""] = /http:\/\/127\.0\.0\.1:\d+\//.exec(said) ?? [];
  expect(await (await fetch(url)).text()).toContain("1 bug, 1 crash");
  demo.kill("SIGINT");
  await demo.exited;
  const [folder = ""] = /\/tmp\/cdh-demo-[^/]+/.exec(said) ?? [];
  expect(existsSync(folder)).toBe(false);
});

gatedTest("Ctrl-C in the demo gives everything back", [kernelObstacle()], async () => {
  const before = await readKernelAtRest();
  const demo = startDemo();
  await readUntil(demo.stdout, "the agent has set core_pattern");
  const [hostDir = ""] = /\/tmp\/cdh-demo-[^/]+/.exec(readKernel().corePattern) ?? [];
  expect(existsSync(hostDir)).toBe(true);
  demo.kill("SIGINT");
  await demo.exited;
  expect(demo.signalCode).toBe("SIGINT");
  expect(await readKernelAtRest()).toEqual(before);
  expect(existsSync(hostDir)).toBe(false);
});
