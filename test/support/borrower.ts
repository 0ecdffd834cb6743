// A process of its own that borrows the kernel, starts a child, says "borrowed" and the child's pid, and
// waits: for tests that kill it.
import { withCorePattern } from "./borrowed-kernel.ts";

const pattern = process.argv[2] ?? "core";
await withCorePattern(pattern, async () => {
  const child = Bun.spawn(["sleep", "60"]);
  console.log(`borrowed ${child.pid}`);
  await Bun.sleep(60_000);
});
