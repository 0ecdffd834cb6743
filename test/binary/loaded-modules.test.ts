// One executable, two roles: the composer, started for every crash, must not pay for the agent. Seen in
// the engine's own list of the code that it links while the executable runs.
import { expect, test } from "bun:test";
import { executablePath } from "../support/executable.ts";
import { withFolder } from "../support/temporary-folder.ts";

/** Names that stand in the agent's code as they are: its settings, and the S3 client's protocol. */
const AGENT_MARK = "S3_BUCKET_NAME";
const S3_CLIENT_MARK = "com.amazonaws";
const COMPOSER_MARK = "FILENAME_TEMPLATE";

/** All bytecode that a run links, as text (JavaScriptCore's option dumpGeneratedBytecodes). */
async function linkedCode(args: string[], env: Record<string, string>): Promise<string> {
  const child = Bun.spawn([await executablePath(), ...args], {
    env: { ...env, BUN_JSC_dumpGeneratedBytecodes: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 20_000,
  });
  const texts = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return texts.join("");
}

test("the composer loads neither the agent nor the S3 client", async () => {
  await withFolder(async (folder) => {
    const code = await linkedCode(["composer", `-d=${folder}`], {});
    expect(code).toContain(COMPOSER_MARK);
    expect(code).not.toContain(AGENT_MARK);
    expect(code).not.toContain(S3_CLIENT_MARK);
  });
});

test("the marks stand in what an upload loads, so their absence means something", async () => {
  await withFolder(async (folder) => {
    const code = await linkedCode(["sweep"], {
      HOST_DIR: folder,
      S3_BUCKET_NAME: "none",
      S3_ACCESS_KEY: "none",
      S3_SECRET: "none",
      S3_ENDPOINT: "http://127.0.0.1:9",
    });
    expect(code).toContain(AGENT_MARK);
    expect(code).toContain(S3_CLIENT_MARK);
  });
});
