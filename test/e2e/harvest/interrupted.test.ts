// File capture whose composers and containers do not live long enough: no core is removed before its zip is there.
import { expect } from "bun:test";
import { SHELL_IMAGE } from "../../support/containerd.ts";
import { harvestSuite } from "../../support/harvest-suite.ts";
import { crashFirst } from "../../support/runtime-suite.ts";

const { harvestTest, start, coresLeft } = harvestSuite();

harvestTest(
  "a composer that is killed: the core stays, and the next one takes it",
  async (harvested) => {
    const pod = await start("twice", { args: ["talk", "1", "100"] });
    await crashFirst({ pod });
    process.kill(await harvested.composerAtWork(), "SIGKILL");
    await harvested.says("core_file_failed");
    expect(await coresLeft(pod)).toHaveLength(1);
    const [zip] = await harvested.zipsOf({ podname: "twice" });
    expect(zip?.info).toMatchObject({ core_complete: true, missing: [] });
    await harvested.says("core_file_taken");
    expect(await coresLeft(pod)).toEqual([]);
  },
);

harvestTest("containers that crash as soon as they start, several at once", async (harvested) => {
  const names = Array.from({ length: 6 }, (_, index) => `brief-${index}`);
  const crash = ["-c", "sh -c 'kill -11 $$'; exit 139"];
  await Promise.all(
    names.map((name) => start(name, { name: "shell", image: SHELL_IMAGE, args: crash })),
  );
  for (const podname of names) {
    const [zip] = await harvested.zipsOf({ podname });
    expect(zip?.info).toMatchObject({ container_name: "shell", exe: "sh", core_complete: true });
  }
  expect(harvested.log.names()).not.toContain("core_not_left");
});
