// What every store must do, whatever it is: the same tests against each entry of store-places.ts.
import { describe } from "bun:test";
import { describeDelivery } from "./delivery-conformance.ts";
import { gatedTest } from "./gate.ts";
import { describeIndex } from "./index-conformance.ts";
import { describeReader, describeRefusal, describeWriter } from "./port-conformance.ts";
import type { Place, StoreKind } from "./store-places.ts";

const TIMEOUT_MS = 120_000;

export function describeStore(kind: StoreKind): void {
  const storeTest = (title: string, body: (place: Place) => Promise<void>) =>
    gatedTest(
      title,
      [kind.obstacle],
      async () => {
        const place = await kind.open();
        try {
          await body(place);
        } finally {
          await place.close();
        }
      },
      TIMEOUT_MS,
    );

  describe(kind.name, () => {
    describeDelivery(storeTest);
    describeWriter(storeTest, kind);
    if (kind.ignoresTaken !== true) describeRefusal(storeTest);
    describeReader(storeTest);
    describeIndex(storeTest);
  });
}
