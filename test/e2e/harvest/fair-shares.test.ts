// File capture among tenants, none of them with any right: what one makes costs the others one turn, and a core stays
// in its container until a zip holds all of it.
import { expect } from "bun:test";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { APP_IMAGE, SHELL_IMAGE } from "../../support/containerd.ts";
import { elfHead } from "../../support/elf-head.ts";
import { harvestSuite } from "../../support/harvest-suite.ts";
import { crashFirst } from "../../support/runtime-suite.ts";

const { harvestTest, startAll, coresLeft, layerOf, untilExited } = harvestSuite();

const UID = 65_534;
const TEBIBYTE = 2 ** 40;
const app = { name: "app", image: APP_IMAGE, uid: UID };

/** Makes `count` cores of a tebibyte, each some kilobytes on the disk, and then waits. */
function forge(count: number): string {
  const segments = [{ offset: 4096, fileBytes: TEBIBYTE }];
  const head = Buffer.from(elfHead({ bits: 64, order: "little", segments })).toString("base64");
  return `cd /tmp
    for i in $(seq ${count}); do
      f=.cdh-core.$i.$i.$i.11.1790000000.0.0.0.1.forged~host
      echo ${head} | base64 -d > $f
      dd if=/dev/zero of=$f bs=1 count=1 seek=${TEBIBYTE + 4095} conv=notrunc 2>/dev/null
    done; exec sleep 3600`;
}

harvestTest(
  "hundreds of sparse cores of a tebibyte keep nobody else's core waiting",
  async (harvested) => {
    await harvested.stop();
    const args = ["-c", forge(64)];
    const shell = (at: number) => ({ name: `shell-${at}`, image: SHELL_IMAGE, args, uid: UID });
    const mallory = await startAll("mallory", [1, 2, 3, 4].map(shell), { namespace: "mallory" });
    const victim = await startAll("victim", [{ ...app, args: ["talk", "1"] }], {
      namespace: "victim",
    });
    harvested.start();
    await harvested.composerAtWork();
    await crashFirst({ pod: victim });
    // Not by opening zips: an unpacked tebibyte would be one.
    const isVictims = ({ event, podname }: Record<string, unknown>) =>
      event === "dump_published" && podname === "victim";
    for (let tries = 0; !(await harvested.composer.log()).some(isVictims); tries++) {
      if (tries > 1200) throw new Error("the victim's core is not taken");
      await Bun.sleep(25);
    }
    const published = (await harvested.composer.log()).filter(isVictims);
    expect(published).toMatchObject([{ core_complete: true }]);
    expect(await coresLeft(mallory)).toHaveLength(64);
  },
  { DISK_QUOTA: "64M", DISK_FREE: "0", DISK_RESERVE: "0" },
);

harvestTest(
  "a core that a full disk does not take whole stays, and no part of it is published yet",
  async (harvested) => {
    const pod = await startAll("large", [{ ...app, args: ["talk", "1", "24"] }]);
    await crashFirst({ pod });
    await untilExited(pod);
    const [left = ""] = await coresLeft(pod);
    const file = join(await layerOf(pod), "tmp", left);
    await harvested.says("core_file_failed", { file, error: "its zip cannot hold all of it" });
    expect(await coresLeft(pod)).toHaveLength(1);
    const names = readdirSync(harvested.composer.coreDir);
    expect(names.filter((name) => name.includes("large"))).toEqual([]);
  },
  { DISK_QUOTA: "4M", DISK_FREE: "0", DISK_RESERVE: "0" },
);

harvestTest("a pod's annotations stand in its zip, and on no command line", async (harvested) => {
  const secret = "s3cr3t".repeat(20_000);
  const annotations = { "example.org/config": secret };
  const pod = await startAll("annotated", [{ ...app, args: ["talk", "1", "60"] }], { annotations });
  await crashFirst({ pod });
  const composer = await harvested.composerAtWork();
  const commandLine = readFileSync(`/proc/${composer}/cmdline`, "utf8");
  expect(commandLine).toContain("--source=file");
  expect(commandLine).not.toContain("s3cr3t");
  const [zip] = await harvested.zipsOf({ podname: "annotated" });
  expect((await zip?.json("-pod-info.json"))?.["annotations"]).toMatchObject(annotations);
});
