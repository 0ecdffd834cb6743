import { expect, test } from "bun:test";
import { isRegionName, parseS3Address, regionOfHost } from "../../../src/model/s3-address.ts";

test.each([
  ["s3.eu-west-1.amazonaws.com", "eu-west-1"],
  ["s3-us-west-2.amazonaws.com", "us-west-2"],
  ["s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1"],
  ["cores.s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1"],
  ["s3-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
  ["s3-fips.dualstack.us-east-2.amazonaws.com", "us-east-2"],
  ["s3.cn-north-1.amazonaws.com.cn", "cn-north-1"],
  ["bucket.vpce-0a1b2c3d-4e5f.s3.eu-west-1.vpce.amazonaws.com", "eu-west-1"],
  ["vpce-0a1b2c3d-4e5f-eu-west-1a.s3.eu-west-1.vpce.amazonaws.com", "eu-west-1"],
  ["accesspoint.vpce-0a1b2c3d-4e5f.s3.ap-southeast-2.vpce.amazonaws.com", "ap-southeast-2"],
  ["name-123456789012.s3-accesspoint.eu-west-1.amazonaws.com", "eu-west-1"],
  ["S3.EU-WEST-1.AMAZONAWS.COM.", "eu-west-1"],
  ["s3.amazonaws.com", "us-east-1"],
  ["s3-external-1.amazonaws.com", "us-east-1"],
  ["nyc3.digitaloceanspaces.com", "nyc3"],
  ["cores.fra1.digitaloceanspaces.com", "fra1"],
  ["s3.eu-central-2.wasabisys.com", "eu-central-2"],
  ["s3.wasabisys.com", "us-east-1"],
  ["s3.us-west-004.backblazeb2.com", "us-west-004"],
  ["s3.fr-par.scw.cloud", "fr-par"],
  ["cores.s3.nl-ams.scw.cloud", "nl-ams"],
  ["s3.gra.io.cloud.ovh.net", "gra"],
  ["s3.eu-west-par.io.cloud.ovh.net", "eu-west-par"],
  ["s3.bhs.perf.cloud.ovh.net", "bhs"],
  ["s3.eu-de.cloud-object-storage.appdomain.cloud", "eu-de"],
  ["s3.private.us-south.cloud-object-storage.appdomain.cloud", "us-south"],
  ["s3.direct.eu-gb.cloud-object-storage.appdomain.cloud", "eu-gb"],
  ["us-east-1.linodeobjects.com", "us-east-1"],
  ["es-mad-1.linodeobjects.com", "es-mad-1"],
  ["sos-ch-gva-2.exo.io", "ch-gva-2"],
  ["fsn1.your-objectstorage.com", "fsn1"],
  ["ewr1.vultrobjects.com", "ewr1"],
  ["ns.compat.objectstorage.eu-frankfurt-1.oraclecloud.com", "eu-frankfurt-1"],
  ["cos.ap-guangzhou.myqcloud.com", "ap-guangzhou"],
  ["obs.eu-west-101.myhuaweicloud.eu", "eu-west-101"],
  ["oos.eu-west-2.outscale.com", "eu-west-2"],
  ["eu-001.s3.synologyc2.net", "eu-001"],
  ["0123abcd.r2.cloudflarestorage.com", "auto"],
])("%s signs for %s", (host, region) => {
  expect(regionOfHost(host)).toBe(region);
});

test.each([
  "minio",
  "s3.example.com",
  "s3.eu-west-1.example.com",
  "s3.eu-west-1.amazonaws.com.evil.example",
  "nots3.eu-west-1.amazonaws.com",
  "ec2.eu-west-1.amazonaws.com",
  "storage.googleapis.com",
  "10.0.0.1",
])("%s names no region", (host) => {
  expect(regionOfHost(host)).toBeUndefined();
});

test("an address is a host, with a scheme or without", () => {
  expect(parseS3Address("minio:9000")?.href).toBe("https://minio:9000/");
  expect(parseS3Address("http://minio:9000/prefix")?.href).toBe("http://minio:9000/prefix");
  for (const wrong of ["ftp://store", "http://", "not a host:", "https://user:secret@store", "h?x"])
    expect(parseS3Address(wrong)).toBeUndefined();
});

test("a region's name holds nothing that could end the header it goes into", () => {
  for (const name of ["us-east-1", "auto", "garage", "gra", "US_1"])
    expect(isRegionName(name)).toBe(true);
  for (const name of ["", "eu west", "eu/west", "eu\r\nx: y", "-", "x".repeat(64)])
    expect(isRegionName(name)).toBe(false);
});
