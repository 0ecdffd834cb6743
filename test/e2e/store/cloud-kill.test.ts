// The agent's process killed in the middle of uploads to Azure's and Google's stores: every dump arrives once and
// whole, and what the store has is not sent again.
import { readdirSync } from "node:fs";
import { expect } from "bun:test";
import { CLOUD_KINDS, nthPart, openBehindProxy } from "../../support/cloud-places.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { gatedTest } from "../../support/gate.ts";
import { expectWhole } from "../../support/store-attempts.ts";
import { startSweep } from "../../support/sweep-process.ts";

const ROUNDS = Number(process.env["CDH_TEST_ROUNDS"] ?? 12) / 2;

for (const kind of CLOUD_KINDS) {
  gatedTest(
    `${kind.name}: an upload that SIGKILL cut short goes on where it stopped`,
    [kind.obstacle],
    async () => {
      const place = await openBehindProxy(kind);
      const folder = temporaryFolder();
      const sha256 = await sha256Of(writeDump(folder, "T.zip", { coreBytes: 40_000_000 }));
      // The sixth part hangs: four at least are there for sure when the process dies.
      place.proxy.plan("stall", nthPart(6));
      const first = await startSweep(folder, place.variables);
      while (place.proxy.counts.stall === 0) await Bun.sleep(20);
      first.process.kill("SIGKILL");
      await first.ended;
      expect(await place.keys()).toEqual(["T.zip"]);

      const before = place.proxy.requests();
      const second = await (await startSweep(folder, place.variables)).ended;
      if (second.code !== 0) console.error(second.log);
      const resumed = /upload_resumed .*parts=(\d+) parts_there=(\d+)/.exec(second.log);
      expect(Number(resumed?.[1])).toBe(8);
      expect(Number(resumed?.[2])).toBeGreaterThanOrEqual(4);
      expect(place.proxy.requests() - before).toBeLessThan(12);
      expect(await place.keys()).toEqual(["T.zip"]);
      await expectWhole(place, "T.zip", sha256);
      expect(readdirSync(folder)).toEqual([]);
      await place.close();
    },
    120_000,
  );

  gatedTest(
    `${kind.name}: kills at random moments lose and double nothing`,
    [kind.obstacle],
    async () => {
      const place = await openBehindProxy(kind);
      const folder = temporaryFolder();
      const wanted = new Map<string, string>();
      for (const [index, coreBytes] of [1000, 3_000_000, 20_000_000].entries()) {
        const name = `T${index}.zip`;
        wanted.set(name, await sha256Of(writeDump(folder, name, { coreBytes })));
      }
      let kills = 0;
      for (let round = 0; round < ROUNDS || kills === 0; round++) {
        if (readdirSync(folder).length === 0) {
          if (kills > 0) break;
          // All was delivered before any kill: the next dump takes longer.
          const name = `T${wanted.size}.zip`;
          const coreBytes = wanted.size * 20_000_000;
          wanted.set(name, await sha256Of(writeDump(folder, name, { coreBytes })));
        }
        const sweep = await startSweep(folder, place.variables);
        const timer = setTimeout(() => sweep.process.kill("SIGKILL"), 30 + Math.random() * 400);
        if ((await sweep.ended).code === 137) kills++;
        clearTimeout(timer);
      }
      // A killed attempt is no failed one: nothing waits.
      const last = await (await startSweep(folder, place.variables)).ended;
      if (last.code !== 0) console.error(last.log);
      expect(kills).toBeGreaterThan(0);
      expect(await place.keys()).toEqual([...wanted.keys()].sort());
      for (const [name, sha256] of wanted) await expectWhole(place, name, sha256);
      expect(readdirSync(folder)).toEqual([]);
      await place.close();
    },
    180_000,
  );
}
