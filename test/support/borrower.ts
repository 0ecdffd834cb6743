// A process of its own that borrows the kernel, says "borrowed" and waits: for tests that kill it.
import { withCorePattern } from "./borrowed-kernel.ts";

const pattern = process.argv[2] ?? "core";
await withCorePattern(pattern, async () => {
  console.log("borrowed");
  await Bun.sleep(60_000);
});
