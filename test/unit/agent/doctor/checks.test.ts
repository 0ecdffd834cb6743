// Every check that is written is made, once.
import { expect, test } from "bun:test";
import { Glob } from "bun";
import { join } from "node:path";
import { CHECKS } from "../../../../src/agent/doctor/checks.ts";

const WING = join(import.meta.dir, "../../../../src/agent/doctor");

test("every check of a file check-….ts has its place in the order", async () => {
  const made: unknown[] = CHECKS.map(({ run }) => run);
  const forgotten: string[] = [];
  for (const file of new Glob("check-*.ts").scanSync(WING)) {
    const written = Object.entries((await import(join(WING, file))) as Record<string, unknown>);
    const checks = written.filter(([name]) => name.startsWith("check"));
    if (checks.length === 0) forgotten.push(file);
    for (const [name, check] of checks)
      if (!made.includes(check)) forgotten.push(`${name} in ${file}`);
  }
  expect(forgotten).toEqual([]);
});

test("no two checks have one name", () => {
  expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
});
