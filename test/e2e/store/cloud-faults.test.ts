// Single faults between the agent and Azure's and Google's stores: each is met, and the dump arrives once and whole.
import { existsSync } from "node:fs";
import { expect } from "bun:test";
import { openDelivery } from "../../../src/agent/delivery/delivery.ts";
import { describeError } from "../../../src/model/app-error.ts";
import { CLOUD_KINDS, nthPart, openBehindProxy } from "../../support/cloud-places.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import type { Fault } from "../../support/fault-proxy.ts";
import { gatedTest } from "../../support/gate.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { expectWhole, never } from "../../support/store-attempts.ts";
import { storeSettings } from "../../support/store-settings.ts";

type Matches = (method: string, url: string) => boolean;
const LARGE = 12_000_000;
const SMALL = 1_000_000;
const look: Matches = (method, url) =>
  method === "HEAD" || (method === "GET" && url.includes("/o/"));
const whole: Matches = (method, url) => method === "PUT" && !url.includes("comp=");
const end: Matches = (method, url) => method === "PUT" && url.includes("comp=blocklist");
const begin: Matches = (method) => method === "POST";

const BOTH: [Fault, string, () => Matches, number][] = [
  ["reset", "a part", () => nthPart(2), LARGE],
  ["reset", "a whole dump", () => whole, SMALL],
  ["lost_answer", "a part", () => nthPart(2), LARGE],
  ["lost_answer", "a whole dump", () => whole, SMALL],
  ["stall", "a part", () => nthPart(2), LARGE],
  ["slow_down_503", "a part", () => nthPart(1), LARGE],
  ["too_many_429", "a part", () => nthPart(2), LARGE],
  ["truncated_answer", "a part", () => nthPart(1), LARGE],
  ["truncated_answer", "a whole dump", () => whole, SMALL],
  ["broken_403", "a part", () => nthPart(2), LARGE],
  ["broken_403", "the look before", () => look, SMALL],
  ["precondition_412", "a whole dump", () => whole, SMALL],
];
const AT_THE_END: Fault[] = [
  "lost_answer",
  "error_500",
  "truncated_answer",
  "conflict_409",
  "broken_403",
];
const OWN: Readonly<Record<string, typeof BOTH>> = {
  azure: AT_THE_END.map((fault) => [fault, "the block list", () => end, LARGE]),
  // The last chunk, the third of three, finishes the upload.
  google: [
    ...AT_THE_END.map((fault): (typeof BOTH)[number] => [
      fault,
      "the last chunk",
      () => nthPart(3),
      LARGE,
    ]),
    ["lost_answer", "the beginning", () => begin, LARGE],
    ["truncated_answer", "the beginning", () => begin, SMALL],
    ["precondition_412", "the beginning", () => begin, SMALL],
  ],
};

for (const kind of CLOUD_KINDS)
  for (const [fault, where, matches, coreBytes] of [...BOTH, ...(OWN[kind.adapter] ?? [])])
    gatedTest(
      `${kind.name}: ${fault} at ${where} costs nothing but time`,
      [kind.obstacle],
      async () => {
        const place = await openBehindProxy(kind);
        const path = writeDump(temporaryFolder(), "T.zip", { coreBytes });
        const sha256 = await sha256Of(path);
        place.proxy.plan(fault, matches());
        const settings = storeSettings({
          ...place.variables,
          STORE_TIMEOUT: "1",
          STORE_MIN_SPEED: String(2 ** 24),
        });
        const delivery = openDelivery(settings, recordedLog());
        let outcome = await delivery.deliver(path, never);
        // What a retry within the attempt does not cure, the next attempt does.
        for (let again = 0; outcome.kind === "failed" && again < 3; again++)
          outcome = await delivery.deliver(path, never, { ignoreBackoff: true });
        if (outcome.kind === "failed") throw new Error(describeError(outcome.error));
        expect(outcome).toMatchObject({ kind: "delivered", key: "T.zip" });
        expect(place.proxy.counts[fault]).toBe(1);
        expect(await place.keys()).toEqual(["T.zip"]);
        await expectWhole(place, "T.zip", sha256);
        expect(existsSync(path)).toBe(false);
        await place.close();
      },
      200_000,
    );
