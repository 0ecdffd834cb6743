// What names no store is refused at the start, by its variable, not tried against the network for ever.
import { expect, test } from "bun:test";
import {
  agentVariables,
  formerVariables,
  readAgentSettings,
} from "../../../src/config/agent-settings.ts";
import { findUnknownVariables } from "../../../src/config/unknown-variables.ts";

test.each([
  ["S3_BUCKET_NAME", "arn:aws:s3:::cores"],
  ["S3_BUCKET_NAME", "arn:aws:s3:eu-west-1:123456789012:accesspoint/cores"],
  ["S3_BUCKET_NAME", "s3://cores"],
  ["S3_BUCKET_NAME", "cores/prod"],
  ["S3_BUCKET_NAME", "cores/"],
  ["S3_BUCKET_NAME", "https://cores.s3.eu-west-1.amazonaws.com"],
  ["S3_BUCKET_NAME", "my cores"],
  ["S3_BUCKET_NAME", "cores?x"],
  ["S3_ENDPOINT", "ftp://store"],
  ["S3_ENDPOINT", "http://"],
  ["S3_REGION", "not a host:"],
  ["S3_REGION", "eu west 1"],
  ["STORE_PART_SIZE", "4Mi"],
  ["STORE_PART_SIZE", "0"],
  ["STORE_PART_SIZE", "6Gi"],
  ["STORE_PART_SIZE", "big"],
  ["STORE_MIN_SPEED", "0"],
  ["STORE_URL", "s3://cores?x=1"],
  ["STORE_URL", "cores"],
])("%s cannot be %p", (variable, value) => {
  let message = "";
  try {
    readAgentSettings({ [variable]: value });
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain(`${variable} is ${JSON.stringify(value)}; expected `);
  expect(message.split(variable)).toHaveLength(2);
});

test("a password in an address is refused, and not shown", () => {
  for (const variable of ["S3_ENDPOINT", "S3_REGION"])
    expect(() => readAgentSettings({ [variable]: "https://user:hush@store.example" })).toThrow(
      `${variable} is (hidden)`,
    );
});

test("a signature in STORE_URL is refused, and not shown", () => {
  const STORE_URL = "https://acc123.blob.core.windows.net/cores?sv=2021&SIG=hush";
  expect(() => readAgentSettings({ STORE_URL })).toThrow("STORE_URL is (hidden); expected s3://");
});

test.each(["cores", "my.cores-1", "Old_Name", "tenant:cores", "ap-x1y2z3-s3alias"])(
  "the bucket %s is one",
  (name) => {
    expect(readAgentSettings({ S3_BUCKET_NAME: name }).S3_BUCKET_NAME).toBe(name);
  },
);

test.each([
  ["STORE_PART_SIZE", "16Mi", 16 * 2 ** 20],
  ["STORE_PART_SIZE", "5G", 5e9],
  ["STORE_PART_SIZE", "16777216", 16 * 2 ** 20],
  ["STORE_MIN_SPEED", "64Ki", 65_536],
  ["STORE_MIN_SPEED", "65536", 65_536],
] as const)("%s takes %s, as Kubernetes writes sizes", (variable, value, bytes) => {
  expect(readAgentSettings({ [variable]: value })[variable]).toBe(bytes);
});

test.each([
  ["STORE_KEY_TEMPLATE", "S3_KEY_TEMPLATE", "{namespace}/{uuid}", "{uuid}", "{filename}"],
  ["STORE_TAGS", "S3_TAGS", "team=db", "team=web", ""],
  ["STORE_TIMEOUT", "S3_TIMEOUT", "5", "7", "60"],
  ["STORE_CA_BUNDLE", "S3_CA_BUNDLE", "/ca.pem", "/b.pem", ""],
  ["STORE_METADATA", "S3_METADATA", "false", "true", "true"],
  ["STORE_MIN_SPEED", "S3_MIN_SPEED", "2048", "4096", "65536"],
  ["STORE_PART_SIZE", "S3_PART_SIZE", "5242880", "8388608", "16777216"],
  ["STORE_CONCURRENCY", "S3_CONCURRENCY", "4", "3", "2"],
] as const)(
  "%s is every store's, and %s, its name before, is still read",
  (name, before, old, present, fallback) => {
    const read = (source: Record<string, string>) => String(readAgentSettings(source)[name]);
    expect(read({ [before]: old })).toBe(old);
    expect(read({ [before]: old, [name]: " " })).toBe(old);
    expect(read({ [before]: old, [name]: present })).toBe(present);
    expect(read({})).toBe(fallback);
    expect(findUnknownVariables({ [before]: old }, agentVariables())).toEqual([before]);
    const known = [...agentVariables(), ...formerVariables()];
    expect(findUnknownVariables({ [before]: old, [name]: old }, known)).toEqual([]);
  },
);

test("a wrong value is shown under the name that it was given by", () => {
  expect(() => readAgentSettings({ S3_TIMEOUT: "soon" })).toThrow('S3_TIMEOUT is "soon"; expected');
  expect(() => readAgentSettings({ STORE_TIMEOUT: "soon", S3_TIMEOUT: "5" })).toThrow(
    'STORE_TIMEOUT is "soon"; expected',
  );
});

test("a STORE_URL that contradicts S3_BUCKET_NAME is one clear error", () => {
  const read = (STORE_URL: string) => readAgentSettings({ STORE_URL, S3_BUCKET_NAME: "cores" });
  expect(() => read("s3://other/prefix")).toThrow(
    'STORE_URL is "s3://other/prefix"; expected the bucket of S3_BUCKET_NAME (cores), or S3_BUCKET_NAME not set',
  );
  expect(read("s3://cores/prefix").STORE_URL).toBe("s3://cores/prefix");
  expect(read("file:///mnt/share").STORE_URL).toBe("file:///mnt/share");
});
