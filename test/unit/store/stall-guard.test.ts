import { expect, test } from "bun:test";
import { stallGuard } from "../../../src/store/stall-guard.ts";
import { failureOf } from "../../../src/store/store-error.ts";

const hangs = () => Promise.withResolvers<string>();

test("a call that answers is waited for, its failure included", async () => {
  const guard = stallGuard("/mnt", 60_000);
  expect(await guard(async () => "answer")).toBe("answer");
  expect(guard(() => Promise.reject(new Error("EIO")))).rejects.toThrow("EIO");
});

test("a call that hangs is given up, and no other is begun until it is back", async () => {
  const guard = stallGuard("/mnt", 20);
  const stuck = hangs();
  let begun = 0;
  const next = async () => {
    begun++;
    return "next";
  };
  expect(failureOf(await guard(() => stuck.promise).catch((error: unknown) => error))).toBe(
    "timeout",
  );
  expect(failureOf(await guard(next).catch((error: unknown) => error))).toBe("timeout");
  expect(begun).toBe(0);
  stuck.resolve("back");
  await stuck.promise;
  await Bun.sleep(1);
  expect(await guard(next)).toBe("next");
});
