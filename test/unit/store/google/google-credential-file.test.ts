// A file that is none is one clear line without anything of its content.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../../src/model/app-error.ts";
import { readCredentialFile } from "../../../../src/store/google/google-credential-file.ts";
import { temporaryFolder } from "../../../support/dumps.ts";

const KEY = { type: "service_account", client_email: "a@b", private_key: "hush" };
const FEDERATION = {
  type: "external_account",
  audience: "//iam",
  subject_token_type: "jwt",
  token_url: "https://sts.example/token",
  credential_source: { file: "/token" },
};

function lineOf(content: string): string {
  const path = join(temporaryFolder(), "credentials.json");
  writeFileSync(path, content);
  try {
    readCredentialFile(path);
    return "read";
  } catch (error) {
    return describeError(error);
  }
}

test.each([
  [JSON.stringify(KEY), /^read$/],
  [JSON.stringify(FEDERATION), /^read$/],
  ["hush hush", /cannot read GOOGLE_APPLICATION_CREDENTIALS .*it is not JSON/],
  [JSON.stringify({ ...KEY, type: "hush" }), /type is missing or of no known form/],
  [JSON.stringify({ ...KEY, client_email: 7 }), /client_email is missing/],
  [
    JSON.stringify({ ...FEDERATION, credential_source: { environment_id: "aws1", hush: 1 } }),
    /credential_source.* is missing or of no known form.*external_account with a file or url/,
  ],
])("%s", (content, line) => {
  expect(lineOf(content)).toMatch(line);
  expect(lineOf(content)).not.toContain("hush");
});

test("a file that is not there is named", () => {
  expect(() => readCredentialFile("/none.json")).toThrow("/none.json");
});
