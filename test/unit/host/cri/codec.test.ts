// Our reading and writing of CRI's messages against protobufjs, which has a .proto of its own.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parse } from "protobufjs";
import { decodeMessage, encodeMessage } from "../../../../src/host/cri/codec.ts";
import {
  formatNanoseconds,
  infoValue,
  inspectedPod,
  mainPidOf,
} from "../../../../src/composer/metadata/crictl-json.ts";

const PROTO = new URL("../../../fixtures/container/cri-driver.proto", import.meta.url);
const { root } = parse(readFileSync(PROTO, "utf8"));

function encodedByProtobufjs(name: string, value: object): Uint8Array {
  const type = root.lookupType(`runtime.v1.${name}`);
  return type.encode(type.fromObject(value)).finish();
}

function decodedByProtobufjs(name: string, bytes: Uint8Array): object {
  const type = root.lookupType(`runtime.v1.${name}`);
  return type.toObject(type.decode(bytes), { longs: String, enums: String, defaults: true });
}

const CONTAINERS = {
  containers: [
    {
      id: "a".repeat(64),
      podSandboxId: "pod",
      metadata: { name: "app", attempt: 4_294_967_295 },
      image: { image: "app:1", userSpecifiedImage: "registry/app:1" },
      imageRef: "sha256:11",
      state: "CONTAINER_EXITED",
      createdAt: "1795323437737019752",
      labels: { z: "1", "a.b/c": 'ü "quoted"\n', "": "empty key" },
      annotations: {},
    },
    {},
  ],
};
const IMAGE = {
  images: [
    {
      id: "sha256:11",
      repoTags: ["a:1", "a:2"],
      size: "18446744073709551615",
      uid: { value: "-1" },
    },
    { username: "app", pinned: true, spec: { annotations: { k: "v" } } },
  ],
};

test("answers are decoded as protobufjs does, every field present", () => {
  const bytes = encodedByProtobufjs("ListContainersResponse", CONTAINERS);
  expect(decodeMessage("ListContainersResponse", bytes)).toEqual(
    decodedByProtobufjs("ListContainersResponse", bytes) as never,
  );
  for (const image of IMAGE.images) {
    const response = encodedByProtobufjs("Image", image);
    expect(decodeMessage("Image", response)).toEqual(
      decodedByProtobufjs("Image", response) as never,
    );
  }
});

test("requests are encoded so that protobufjs reads them", () => {
  const filter = { id: "x", labelSelector: { a: "1", b: "2" } };
  const bytes = encodeMessage("ListPodSandboxRequest", { filter });
  expect(decodedByProtobufjs("ListPodSandboxRequest", bytes)).toEqual({ filter: { id: "x" } });
  expect(decodeMessage("ListPodSandboxRequest", bytes)).toEqual({ filter });
  const status = { containerId: "c", verbose: true };
  expect(
    decodedByProtobufjs("ContainerStatusRequest", encodeMessage("ContainerStatusRequest", status)),
  ).toEqual(status);
  expect(encodeMessage("ListPodSandboxRequest", {})).toHaveLength(0);
});

test("maps come sorted by key", () => {
  const bytes = encodedByProtobufjs("ListContainersResponse", CONTAINERS);
  const [container] = decodeMessage("ListContainersResponse", bytes)["containers"] as never[];
  expect(Object.keys((container as unknown as { labels: object }).labels)).toEqual([
    "",
    "a.b/c",
    "z",
  ]);
});

test("fields and enum values that are newer than we are do no harm", () => {
  const extended = parse(`syntax = "proto3"; package t; message Container {
    string id = 1; int32 state = 6; string later = 4000; fixed64 even_later = 4001; }`).root;
  const type = extended.lookupType("t.Container");
  const bytes = type.encode({ id: "x", state: 9, later: "l", evenLater: 1 }).finish();
  expect(decodeMessage("Container", bytes)).toMatchObject({ id: "x", state: 9, labels: {} });
});

test("a field of another wire type than ours is passed over", () => {
  const other = parse(
    `syntax = "proto3"; package t; message Container { uint64 id = 1; string state = 6; }`,
  );
  const bytes = other.root.lookupType("t.Container").encode({ id: 7, state: "x" }).finish();
  expect(decodeMessage("Container", bytes)).toMatchObject({ id: "", state: "CONTAINER_CREATED" });
});

test("bytes that are no message are refused, whatever they are", () => {
  const good = encodedByProtobufjs("ListContainersResponse", CONTAINERS);
  expect(() => decodeMessage("ListContainersResponse", good.subarray(0, -1))).toThrow();
  expect(() =>
    decodeMessage("ListContainersResponse", new Uint8Array([0x0a, 0xff, 0x7f])),
  ).toThrow();
  expect(() => decodeMessage("ListContainersResponse", new Uint8Array(100).fill(0xff))).toThrow();
  for (let round = 0; round < 2000; round++) {
    const broken = good.slice();
    for (let i = 0; i < 3; i++)
      broken[Math.floor(Math.random() * broken.length)] = Math.random() * 256;
    try {
      expect(decodeMessage("ListContainersResponse", broken)).toBeObject();
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  }
});

test("an inspected pod has a readable time and its verbose info unfolded", () => {
  const info = { info: '{"pid":42,"deep":{"a":[1]}}', plain: '"quoted"', broken: "{not json" };
  const status = { id: "pod", createdAt: "1795323437000000000" };
  const answer = inspectedPod({ status, info });
  expect(answer).toEqual({
    status: { id: "pod", createdAt: "2026-11-22T04:57:17Z" },
    info: { pid: 42, deep: { a: [1] } },
    plain: "quoted",
    broken: "{not json",
  });
  expect(mainPidOf({ info })).toBe(42);
  expect(mainPidOf({ info: { info: "{}" } })).toBeNull();
  expect(infoValue("")).toBe("");
});

test("times are Go's RFC3339Nano", () => {
  expect(formatNanoseconds(1_795_323_437_327_435_451n)).toBe("2026-11-22T04:57:17.327435451Z");
  expect(formatNanoseconds(1_795_323_437_500_000_000n)).toBe("2026-11-22T04:57:17.5Z");
  expect(formatNanoseconds(0n)).toBe("1970-01-01T00:00:00Z");
  expect(formatNanoseconds(-1n)).toBe("1969-12-31T23:59:59.999999999Z");
});
