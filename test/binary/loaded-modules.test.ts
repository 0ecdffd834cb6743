// One executable, two roles: the composer, started for every crash, must not pay for the agent. Seen in
// the engine's own list of the code that it links while the executable runs.
import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { executablePath, linkExecutable } from "../support/executable.ts";
import { sampleCore } from "../support/sample-core.ts";
import { withFolder } from "../support/temporary-folder.ts";

/** Names that stand in the agent's code as they are: its settings, and the S3 client's protocol. */
const AGENT_MARK = "S3_BUCKET_NAME";
const S3_CLIENT_MARK = "com.amazonaws";
/** In a table of src/explain. */
const EXPLAIN_MARK = "SEGV_MAPERR";
const COMPOSER_MARK = "FILENAME_TEMPLATE";
/** Megabytes are printed, and the upload has an endpoint that refuses: seconds on a busy machine. */
const RUN_TIMEOUT_MS = 60_000;

/** All bytecode that a run links, as text (JavaScriptCore's option dumpGeneratedBytecodes). */
async function linkedCode(
  folder: string,
  args: string[],
  env: Record<string, string>,
): Promise<string> {
  const executable = join(folder, "core-dump-handler");
  await linkExecutable(await executablePath(), executable);
  const child = Bun.spawn([executable, ...args], {
    env: { ...env, BUN_JSC_dumpGeneratedBytecodes: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: RUN_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const texts = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return texts.join("");
}

/** Which of the marks stand in the code: megabytes of text are no failure message. */
function marksIn(code: string): string[] {
  return [COMPOSER_MARK, AGENT_MARK, S3_CLIENT_MARK, EXPLAIN_MARK].filter((mark) =>
    code.includes(mark),
  );
}

test(
  "the composer loads neither the agent nor the S3 client, and explains nothing itself",
  async () => {
    await withFolder(async (folder) => {
      expect(marksIn(await linkedCode(folder, ["composer", `-d=${folder}`], {}))).toEqual([
        COMPOSER_MARK,
      ]);
    });
  },
  RUN_TIMEOUT_MS,
);

test(
  "the explainer's mark stands in what explaining loads",
  async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, "core"), sampleCore(4096));
      const marks = marksIn(await linkedCode(folder, ["explain", join(folder, "core")], {}));
      expect(marks).toContain(EXPLAIN_MARK);
    });
  },
  RUN_TIMEOUT_MS,
);

test(
  "the marks stand in what an upload loads, so their absence means something",
  async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, "a.zip"), zipSync({ "a.txt": strToU8("text") }));
      const settings = {
        HOST_DIR: join(folder, "host"),
        CORE_DIR: folder,
        S3_BUCKET_NAME: "none",
        S3_ACCESS_KEY: "none",
        S3_SECRET: "none",
        S3_ENDPOINT: "http://127.0.0.1:9",
      };
      const marks = marksIn(await linkedCode(folder, ["sweep"], settings));
      expect(marks).toContain(AGENT_MARK);
      expect(marks).toContain(S3_CLIENT_MARK);
    });
  },
  RUN_TIMEOUT_MS,
);
