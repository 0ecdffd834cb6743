// Azurite checks signatures in test/e2e/store; here the string to sign of the documentation's rules.
import { createHmac } from "node:crypto";
import { expect, test } from "bun:test";
import { sharedKeyHeader } from "../../../../src/store/azure/azure-shared-key.ts";

const key = Buffer.from("secret").toString("base64");

function signed(lines: string[]): string {
  return `SharedKey acc:${createHmac("sha256", "secret").update(lines.join("\n")).digest("base64")}`;
}

test("the string to sign has the headers in their order, x-ms- sorted, and the resource with its query", () => {
  const url = new URL(
    "https://acc.blob.core.windows.net/cores/a%20b.zip?comp=block&blockid=QQ%3D%3D",
  );
  const headers = {
    "x-ms-version": "2021-12-02",
    "content-length": "5",
    "content-md5": "m",
    "content-type": "t",
    "x-ms-date": "d",
    "if-none-match": "*",
  };
  expect(sharedKeyHeader({ account: "acc", key }, "PUT", url, headers)).toBe(
    signed(
      "PUT|||5|m|t||||*|||x-ms-date:d|x-ms-version:2021-12-02|/acc/cores/a%20b.zip|blockid:QQ==|comp:block".split(
        "|",
      ),
    ),
  );
});

test("a length of nothing is left out, and an emulator's account stands twice", () => {
  const url = new URL("http://127.0.0.1:1/acc/cores/a.zip");
  expect(sharedKeyHeader({ account: "acc", key }, "PUT", url, { "content-length": "0" })).toBe(
    signed(["PUT", "", "", "", "", "", "", "", "", "", "", "", "/acc/acc/cores/a.zip"]),
  );
});
