// Whatever the process that explains does, its composer has an answer or a reason, soon, and nothing stays behind.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { ExplainerProcess } from "../../../../src/composer/summary/explainer-process.ts";

const SUMMARY = {
  schema: 1,
  title: "SIGSEGV in f (prog)",
  fingerprint: { bug: "0123456789abcdef", exact: "fedcba9876543210" },
  crashing_thread: { tid: 1, frames: [{ function: null }, { function: "_Zf", demangled: "f" }] },
};

const never = new Promise<void>(() => undefined);

/** A shell's script in the explainer's place. */
const standIn = (script: string) => new ExplainerProcess(["sh", "-c", script], []);

const finish = (script: string, timeoutMs = 20_000, stop = never) =>
  standIn(script).finish(new TextEncoder().encode("log"), timeoutMs, stop);

test("its summary is taken as it is, title and fingerprints with it", async () => {
  const explained = await finish(`cat > /dev/null; printf '%s' '${JSON.stringify(SUMMARY)}'`);
  expect(JSON.parse(new TextDecoder().decode(explained.data))).toEqual(SUMMARY);
  expect(explained).toMatchObject({
    title: "SIGSEGV in f (prog)",
    bug: "0123456789abcdef",
    exact: "fedcba9876543210",
    crashFunction: "f",
  });
});

test("what it holds moves no cursor and turns no text around", async () => {
  const hostile = { ...SUMMARY, title: "a\u202eb\u009b2Jc" };
  const explained = await finish(`cat > /dev/null; printf '%s' '${JSON.stringify(hostile)}'`);
  const text = new TextDecoder().decode(explained.data);
  expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(JSON.parse(text)).toEqual(hostile);
});

test("it is told the log's end", async () => {
  const answer = { ...SUMMARY, title: "TITLE" };
  const script = `read -r line; printf '%s' '${JSON.stringify(answer)}' | sed "s/TITLE/$line/"`;
  const explained = await standIn(script).finish(Buffer.from("a panic\n"), 20_000, never);
  expect(explained.title).toBe("a panic");
});

test.each([
  ["dies", "kill -SEGV $$", "without an answer (signal SIGSEGV)"],
  ["ends without a word", "exit 3", "without an answer (exit code 3)"],
  ["answers garbage", "echo '}{'", "no summary"],
  ["answers another JSON", "echo '[1]'", "no summary"],
  ["says why it could not", `echo '{"error":"no memory"}'; exit 1`, "no memory"],
  ["has no fingerprint", `echo '{"title":"x"}'`, "no fingerprint"],
  ["forges one", `echo '{"title":"x","fingerprint":{"bug":"../../x"}}'`, "no fingerprint"],
  ["nests without end", "head -c 400000 /dev/zero | tr '\\0' '['", "no summary"],
  ["writes a gigabyte", "head -c 1000000000 /dev/zero | tr '\\0' x", "no summary"],
])("one that %s costs the summary only", async (_, script, why) => {
  expect(finish(script)).rejects.toThrow(why);
});

test("one that hangs is killed at its time", async () => {
  expect(finish("exec sleep 1000", 50)).rejects.toThrow("no answer in 50 ms");
});

test("one that does not listen to signals is killed all the same, at the dump's own deadline", async () => {
  expect(
    finish("trap '' TERM INT; while :; do :; done", 20_000, Promise.resolve()),
  ).rejects.toThrow("deadline");
});

test("one that is not wanted any more is gone", async () => {
  const explainer = standIn("exec sleep 1000");
  expect(existsSync(`/proc/${explainer.pid}`)).toBe(true);
  await explainer.end();
  expect(existsSync(`/proc/${explainer.pid}`)).toBe(false);
});
