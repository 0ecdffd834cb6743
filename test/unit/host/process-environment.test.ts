import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadEnvironment, shareAwsVariables } from "../../../src/host/process-environment.ts";
import { findUnknownVariables } from "../../../src/config/unknown-variables.ts";
import { agentVariables } from "../../../src/config/agent-settings.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "environment-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("without a .env the environment is taken as it is", async () => {
  expect(await loadEnvironment({ A: "1" }, folder)).toEqual({ A: "1" });
});

test("a .env beside the executable adds to the environment, which wins unless it is blank", async () => {
  writeFileSync(join(folder, ".env"), 'INTERVAL=5000\nHOST_DIR="/srv/cdh"\nS3_REGION=eu\n');
  expect(await loadEnvironment({ INTERVAL: "1", S3_REGION: " " }, folder)).toEqual({
    INTERVAL: "1",
    HOST_DIR: "/srv/cdh",
    S3_REGION: "eu",
  });
});

test("the composer's own .env is never read as the agent's", async () => {
  writeFileSync(join(folder, ".env"), "LOG_LEVEL=Debug\n");
  expect(await loadEnvironment({ HOST_DIR: folder }, folder)).toEqual({ HOST_DIR: folder });
});

test("a misspelt setting is found; what Kubernetes adds for a Service named s3 is not", () => {
  const environment = {
    COMP_TIMOUT: "1",
    COMP_TIMEOUT: "1",
    S3_BUCKET: "x",
    STORE_TIMOUT: "5",
    STORE_TIMEOUT: "5",
    STORE_SERVICE_HOST: "10.0.0.1",
    S3_SERVICE_HOST: "10.0.0.1",
    S3_SERVICE_PORT_HTTP: "80",
    S3_PORT: "tcp://10.0.0.1:80",
    S3_PORT_80_TCP_ADDR: "10.0.0.1",
    PATH: "/bin",
  };
  expect(findUnknownVariables(environment, agentVariables())).toEqual([
    "COMP_TIMOUT",
    "S3_BUCKET",
    "STORE_TIMOUT",
  ]);
});

test("AWS_* of the file reaches the real environment, where the AWS SDK looks; nothing else does", () => {
  const real: Record<string, string | undefined> = { PATH: "/bin" };
  shareAwsVariables({ PATH: "/evil", AWS_PROFILE: "cores", S3_SECRET: "s" }, real);
  expect(real).toEqual({ PATH: "/bin", AWS_PROFILE: "cores" });
});
