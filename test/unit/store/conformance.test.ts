// What every store must do, against those that need no server; the others are in test/e2e/store/conformance.test.ts.
import { describeStore } from "../../support/store-conformance.ts";
import { STORE_KINDS } from "../../support/store-places.ts";

for (const kind of STORE_KINDS.filter(({ isReal }) => !isReal)) describeStore(kind);
