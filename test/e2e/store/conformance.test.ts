// What every store must do, against real servers; those without one are in test/unit/store/conformance.test.ts.
import { describeStore } from "../../support/store-conformance.ts";
import { STORE_KINDS } from "../../support/store-places.ts";

for (const kind of STORE_KINDS.filter(({ isReal }) => isReal)) describeStore(kind);
