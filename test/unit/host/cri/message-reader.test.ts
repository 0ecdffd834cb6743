// Answers read in pieces of any size: as the codec reads them whole, and bounded where they are too long.
import { expect, test } from "bun:test";
import { decodeMessage, encodeMessage, type MessageName } from "../../../../src/host/cri/codec.ts";
import { MessageReader, type AnswerLimits } from "../../../../src/host/cri/message-reader.ts";
import { textAt, type JsonObject } from "../../../../src/model/json.ts";

const ROOMY: AnswerLimits = { fieldMaxBytes: 2 ** 20, totalMaxBytes: 2 ** 20 };

function read(name: MessageName, bytes: Uint8Array, limits = ROOMY, pieceBytes = bytes.length) {
  const reader = new MessageReader(name, limits);
  for (let at = 0; at < bytes.length; at += pieceBytes)
    reader.push(bytes.subarray(at, at + pieceBytes));
  return { message: reader.finish(), isCut: reader.isCut };
}

/** An answer of one field after the other: requests are all that encodeMessage knows. */
function answerOf(...fields: { number: number; bytes: Uint8Array }[]): Uint8Array {
  return Buffer.concat(
    fields.map(({ number, bytes }) =>
      Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]),
    ),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 0x80)) {
    bytes.push(rest > 0x7f ? (rest % 0x80) | 0x80 : rest);
    if (rest <= 0x7f) return Buffer.from(bytes);
  }
}

const pod = (id: string, annotations: JsonObject = {}) => ({
  number: 1,
  bytes: encodeMessage("PodSandbox", { id, metadata: { name: `pod-${id}` }, annotations }),
});

test("whatever the pieces, an answer is what the codec makes of it whole", () => {
  const answer = answerOf(
    pod("a", { z: "1", b: "ü" }),
    { number: 1, bytes: new Uint8Array() },
    pod("b"),
  );
  const expected = decodeMessage("ListPodSandboxResponse", answer);
  for (const pieceBytes of [1, 2, 7, 1000])
    expect(read("ListPodSandboxResponse", answer, ROOMY, pieceBytes)).toEqual({
      message: expected,
      isCut: false,
    });
  const version = answerOf({ number: 2, bytes: Buffer.from("containerd") });
  expect(read("VersionResponse", version, ROOMY, 3).message).toMatchObject({
    runtimeName: "containerd",
  });
  const info = (key: string) => ({
    number: 2,
    bytes: encodeMessage("PodSandboxMetadata", { name: key, uid: key }),
  });
  const status = answerOf(info("z"), info("a"));
  expect(Object.keys(read("StatusResponse", status).message["info"] ?? {})).toEqual(["a", "z"]);
});

test("fields of other wire types are passed over", () => {
  const strange = Buffer.concat([
    Buffer.of(8 * 9, 0xff, 0x01),
    Buffer.concat([Buffer.of(8 * 9 + 1), Buffer.alloc(8, 0xff)]),
    Buffer.concat([Buffer.of(8 * 9 + 5), Buffer.alloc(4, 0xff)]),
    answerOf(pod("a")),
  ]);
  expect(read("ListPodSandboxResponse", strange, ROOMY, 1).message).toEqual(
    decodeMessage("ListPodSandboxResponse", answerOf(pod("a"))),
  );
});

test("of an item that is too long its beginning counts, and the items after it are whole", () => {
  const answer = answerOf(pod("a", { long: "x".repeat(5000) }), pod("b"));
  const { message, isCut } = read(
    "ListPodSandboxResponse",
    answer,
    { ...ROOMY, fieldMaxBytes: 100 },
    11,
  );
  expect(isCut).toBe(true);
  const [first, second] = message["items"] as JsonObject[];
  expect(first).toMatchObject({ id: "a", metadata: { name: "pod-a" } });
  expect(textAt(first, "annotations", "long")).toMatch(/^x{30,90}$/);
  expect(second).toMatchObject({ id: "b", metadata: { name: "pod-b" } });
});

test("an item may be cut anywhere", () => {
  const item = pod("a", { long: "x".repeat(50), other: "é" });
  for (let size = 1; size < item.bytes.length; size++) {
    const { message } = read("ListPodSandboxResponse", answerOf(item, pod("b")), {
      ...ROOMY,
      fieldMaxBytes: size,
    });
    expect((message["items"] as JsonObject[]).length).toBe(2);
  }
});

test("what comes behind the total is not read", () => {
  const answer = answerOf(...Array.from({ length: 1000 }, (_, i) => pod(String(i))));
  for (const totalMaxBytes of [1, 2, 3, 500, 501, 502, 503, 520]) {
    const reader = new MessageReader("ListPodSandboxResponse", { ...ROOMY, totalMaxBytes });
    expect(reader.push(answer)).toBe(false);
    expect(reader.isCut).toBe(true);
    const ids = (reader.finish()["items"] as JsonObject[]).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => String(i)));
    expect(ids.length).toBeLessThan(50);
  }
  const long = answerOf(pod("a", { long: "x".repeat(5000) }));
  const reader = new MessageReader("ListPodSandboxResponse", { ...ROOMY, totalMaxBytes: 2000 });
  reader.push(long);
  expect(reader.finish()["items"]).toMatchObject([{ id: "a", metadata: { name: "pod-a" } }]);
});

test("bytes that are no message are refused, or read as something", () => {
  const good = answerOf(pod("a", { b: "c" }), pod("b"));
  expect(() => read("ListPodSandboxResponse", good.subarray(0, -1))).toThrow();
  expect(() => read("ListPodSandboxResponse", Buffer.alloc(50, 0xff))).toThrow();
  for (let round = 0; round < 2000; round++) {
    const broken = Uint8Array.from(good);
    for (let i = 0; i < 3; i++)
      broken[Math.floor(Math.random() * broken.length)] = Math.random() * 256;
    try {
      expect(read("ListPodSandboxResponse", broken, ROOMY, 9).message).toBeObject();
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  }
});
