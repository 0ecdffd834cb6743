// What a delivery to a directory has synced when it removes the original: after a power loss the copy must be there.
// strace(1) tells the order.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "bun:test";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";
import { gatedTest, missingProgram } from "../../../support/gate.ts";

const DELIVERER = join(import.meta.dir, "../../../support/directory-deliverer.ts");
const KEY = "shop/2023-11-14/T.zip";

/** What was synced, in order, before the zip was unlinked. */
async function syncedBefore(zip: string, share: string): Promise<string[]> {
  const trace = join(temporaryFolder(), "trace");
  const strace = ["strace", "-f", "-y", "-qq", "-o", trace, "-e", "trace=fsync,unlink,unlinkat"];
  const template = "{namespace}/{date}/{filename}";
  const args = [DELIVERER, zip, pathToFileURL(share).href, template];
  const child = Bun.spawn([...strace, process.execPath, ...args], { stderr: "inherit" });
  expect(await new Response(child.stdout).text()).toBe("delivered\n");
  expect(existsSync(zip)).toBe(false);
  const calls = readFileSync(trace, "utf8").split("\n");
  const removal = calls.findIndex((call) => call.includes("unlink") && call.includes(`"${zip}"`));
  expect(removal).toBeGreaterThan(0);
  return calls
    .slice(0, removal)
    .map((call) => /fsync\(\d+<([^>]+)>/.exec(call)?.[1] ?? "")
    .filter((path) => path.startsWith(share));
}

function straceTest(name: string, body: (zip: string, share: string) => Promise<void>) {
  const info = { namespace: "shop", timestamp: "1700000000" };
  const run = () =>
    body(writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000, info }), temporaryFolder());
  gatedTest(name, [missingProgram("strace")], run, 60_000);
}

const folders = (share: string) => [join(share, "shop/2023-11-14"), join(share, "shop"), share];

straceTest("the copy, and each folder up to the share, is synced first", async (zip, share) => {
  const synced = await syncedBefore(zip, share);
  expect(synced[0]).toContain(".part");
  expect(synced.slice(-3)).toEqual(folders(share));
});

straceTest("so is what an attempt that was killed had copied", async (zip, share) => {
  const copy = join(share, KEY);
  mkdirSync(dirname(copy), { recursive: true });
  await Bun.write(copy, Bun.file(zip));
  expect(await syncedBefore(zip, share)).toEqual([copy, ...folders(share)]);
});
