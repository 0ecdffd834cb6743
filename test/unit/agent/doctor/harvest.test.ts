import { expect, test } from "bun:test";
import { judgeReach } from "../../../../src/agent/doctor/check-harvest.ts";
import type { Reach } from "../../../../src/agent/harvest/reach.ts";

const REACH: Reach = { seen: 3, unseen: [], noRuntime: undefined, lacking: [] };

const CASES: [Partial<Reach>, string, string][] = [
  [{}, "ok", "the /tmp of 3 containers is watched"],
  [{ unseen: ["a/b: no"] }, "warning", "of 4 containers, the /tmp of 1 is out of reach"],
  [{ seen: 0, unseen: ["a/b: no"] }, "failed", "of 1 containers, the /tmp of 1 is out of reach"],
  [{ noRuntime: "nobody" }, "failed", "the containers' cores are not collected: nobody"],
  [{ lacking: ["CAP_LEASE", "CAP_FOWNER"] }, "failed", "the agent has no CAP_LEASE, CAP_FOWNER"],
];
for (const [change, status, found] of CASES)
  test(`${JSON.stringify(change)} is ${status}`, () =>
    expect(judgeReach({ ...REACH, ...change })).toMatchObject({ status, found }));
