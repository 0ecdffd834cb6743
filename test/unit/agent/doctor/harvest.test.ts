import { expect, test } from "bun:test";
import { join } from "node:path";
import { judgePlaces, missingCapabilities } from "../../../../src/agent/doctor/check-harvest.ts";
import { containerRecord } from "../../../support/core-spot.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const mount = (path: string) => containerRecord(path, { place: { kind: "mount", path } });
const nowhere = containerRecord("n", { place: { kind: "none", why: "its root is ext4" } });

test("places that are there are well, and so are some of them", () =>
  withFolder(async (folder) => {
    expect(judgePlaces([mount(folder), nowhere])).toEqual({
      status: "ok",
      found: "the places of 1 of 2 containers can be seen",
    });
  }));

test("a place that is not mounted here is a failure that names it", () =>
  withFolder(async (folder) => {
    const verdict = judgePlaces([mount(folder), mount(join(folder, "unmounted"))]);
    expect(verdict.status).toBe("failed");
    expect(verdict.found).toBe(`${join(folder, "unmounted")} cannot be seen from here`);
    expect(verdict.remedy).toContain("mount the host's directory");
  }));

test("where no container can leave a core, the reason is told", () => {
  const verdict = judgePlaces([nowhere]);
  expect(verdict).toMatchObject({ status: "failed", found: expect.stringContaining("ext4") });
  expect(judgePlaces([]).status).toBe("skipped");
});

test("capabilities that are missing are named", () => {
  const status = (bits: string) => `Name:\tx\nCapInh:\t0000000000000000\nCapEff:\t${bits}\n`;
  expect(missingCapabilities(status("000001ffffffffff"))).toEqual([]);
  expect(missingCapabilities(status("000000001000000a"))).toEqual([]);
  expect(missingCapabilities(status("0000000010000002"))).toEqual(["CAP_FOWNER"]);
  const all = ["CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_LEASE"];
  expect(missingCapabilities(status("0000000000000000"))).toEqual(all);
  expect(missingCapabilities("")).toEqual(all);
});
