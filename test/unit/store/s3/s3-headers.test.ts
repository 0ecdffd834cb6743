// What becomes of hostile values on their way into headers.
import { expect, test } from "bun:test";
import { keyValuesOf } from "../../../../src/model/key-values.ts";
import { labelsOf } from "../../../../src/store/dump-labels.ts";
import { metadataOf } from "../../../../src/store/label-text.ts";
import { taggingOf } from "../../../../src/store/s3/s3-headers.ts";

const CONTEXT = { zipPath: "/cores/T.zip", cluster: "prod", nowMs: Date.UTC(2024, 0, 2, 3) };
const INFO = { uuid: "u-1", namespace: "shop", podname: "cart-0", core_complete: false };

test("metadata is short printable ASCII on one line, whatever the pod is called", () => {
  const info = {
    ...INFO,
    podname: "a\r\nx-amz-acl: public-read",
    namespace: "ü".repeat(500),
    signal: " ",
  };
  const metadata = metadataOf(labelsOf(info, keyValuesOf(info, CONTEXT), ""));
  expect(metadata["pod"]).toBe("a__x-amz-acl: public-read");
  expect(metadata["corecomplete"]).toBe("false");
  for (const value of Object.values(metadata)) expect(value).toMatch(/^[\x20-\x7e]{0,200}$/);
});

test("tags are filled in and kept within S3's limits", () => {
  const info = { ...INFO, podname: "a&b=c,d" };
  const values = keyValuesOf(info, CONTEXT);
  const template = `team=core, pod={podname},empty=,=nokey,${Array.from({ length: 20 }, (_, i) => `k${i}=v`).join(",")}`;
  const tags = Object.fromEntries(new URLSearchParams(taggingOf(labelsOf(info, values, template))));
  expect(tags).toMatchObject({ team: "core", pod: "a_b=c_d", empty: "" });
  expect(Object.keys(tags)).toHaveLength(10);
});
