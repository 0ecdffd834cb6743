// Beyond 4 GiB the records of a plain zip have no room for an entry's size.
import { expect } from "bun:test";
import { listZip } from "../../../build/zip-listing.ts";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { checkDump } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [kernelObstacle(), compilerObstacle(), readersObstacle()];
const GIGABYTES = 4;
/** Stored, the zip itself is over 4 GiB too: a minute of disk and readers, for the long campaign. */
const KINDS = Number(process.env["CDH_TEST_ROUNDS"]) >= 100 ? [true, false] : [true];

for (const COMPRESSION of KINDS)
  gatedTest(
    `every reader sees the right size of a core over 4 GiB, ${COMPRESSION ? "deflated" : "stored"}`,
    obstacles,
    async () => {
      await withComposer({ COMPRESSION }, async (composer) => {
        const sleeper = await startSleeper("sparse", [String(GIGABYTES)]);
        const { heldMs } = await sleeper.crash();
        const [zip = "none"] = await composer.zips(1);
        const { info, core } = await checkDump(zip);
        console.log(
          `a core of ${core.received} bytes held its process for ${heldMs.toFixed(0)} ms`,
        );
        expect(core.received).toBeGreaterThan(GIGABYTES * 2 ** 30);
        expect(info["core_complete"]).toBe(true);
        const listed = (await listZip(zip)).find(({ name }) => name.endsWith(".core"));
        expect(listed?.sizeBytes).toBe(core.received);
      });
    },
  );
