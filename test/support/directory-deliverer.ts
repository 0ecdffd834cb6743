// A process that delivers one zip to a directory: for tests that look at its system calls.
import { openDelivery } from "../../src/agent/delivery/delivery.ts";
import { recordedLog } from "./recorded-log.ts";
import { storeSettings } from "./store-settings.ts";

const [zip = "", STORE_URL = "", STORE_KEY_TEMPLATE = ""] = process.argv.slice(2);
const settings = storeSettings({ STORE_URL, STORE_KEY_TEMPLATE });
const outcome = await openDelivery(settings, recordedLog()).deliver(
  zip,
  new AbortController().signal,
);
console.log(outcome.kind);
