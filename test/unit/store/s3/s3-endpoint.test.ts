import { expect, test } from "bun:test";
import { planS3Endpoint } from "../../../../src/store/s3/s3-endpoint.ts";
import { storeSettings } from "../../../support/store-settings.ts";

function plan(variables: Record<string, string>) {
  return planS3Endpoint(storeSettings({ S3_BUCKET_NAME: "cores", ...variables }));
}

test("a region is AWS's", () => {
  expect(plan({ S3_REGION: "eu-west-1" })).toEqual({
    url: undefined,
    region: "eu-west-1",
    hostRegion: undefined,
    forcePathStyle: true,
    bucket: "cores",
  });
});

test("without a region and an endpoint it is AWS_REGION's, or the SDK looks into the profile", () => {
  expect(plan({ AWS_REGION: "eu-west-3" })).toMatchObject({ url: undefined, region: "eu-west-3" });
  expect(plan({})).toMatchObject({ url: undefined, region: undefined });
});

test("at an address that names no region, AWS_REGION counts; S3_REGION and a host's name go before it", () => {
  const AWS_REGION = "eu-west-3";
  const S3_ENDPOINT = "https://store.example:9000";
  expect(plan({ S3_ENDPOINT, AWS_REGION }).region).toBe("eu-west-3");
  expect(plan({ S3_REGION: "store.example", AWS_REGION }).region).toBe("eu-west-3");
  expect(plan({ S3_ENDPOINT, S3_REGION: "eu-north-1", AWS_REGION }).region).toBe("eu-north-1");
  expect(plan({ S3_ENDPOINT: "s3.eu-west-1.amazonaws.com", AWS_REGION }).region).toBe("eu-west-1");
});

test.each([
  ["host.mycloud.com", "https://host.mycloud.com", "us-east-1"],
  ["https://host.mycloud.com/", "https://host.mycloud.com", "us-east-1"],
  ["http://minio:9000", "http://minio:9000", "us-east-1"],
  ["minio:9000", "https://minio:9000", "us-east-1"],
  ["s3.eu-central-1.amazonaws.com", "https://s3.eu-central-1.amazonaws.com", "eu-central-1"],
  [
    "s3.eu-de.cloud-object-storage.appdomain.cloud",
    "https://s3.eu-de.cloud-object-storage.appdomain.cloud",
    "eu-de",
  ],
  ["https://host/prefix/", "https://host/prefix", "us-east-1"],
])("S3_REGION %p is a host", (S3_REGION, url, region) => {
  expect(plan({ S3_REGION })).toMatchObject({ url, region });
});

test("S3_ENDPOINT wins as the address, and S3_REGION signs", () => {
  expect(plan({ S3_ENDPOINT: "http://store:80", S3_REGION: "eu-west-1" })).toMatchObject({
    url: "http://store",
    region: "eu-west-1",
  });
  expect(plan({ S3_ENDPOINT: "store.example", S3_REGION: "host.mycloud.com" })).toMatchObject({
    url: "https://store.example",
    region: "us-east-1",
  });
});

test("virtual-host style is a setting", () => {
  expect(plan({ S3_ADDRESSING: "virtual" }).forcePathStyle).toBe(false);
});

test("without a bucket there is no address", () => {
  expect(() => plan({ S3_BUCKET_NAME: "" })).toThrow("S3_BUCKET_NAME is not set");
});
