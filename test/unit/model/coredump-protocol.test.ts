// The words of the coredump socket, by the layouts of include/uapi/linux/coredump.h and pidfd.h.
import { expect, test } from "bun:test";
import {
  formatAck,
  formatInfoRequest,
  parsePidfdInfo,
  parseRequest,
  PIDFD_INFO_BYTES,
  requestSize,
} from "../../../src/model/coredump-protocol.ts";

/** struct coredump_req as Linux 6.18 sends it. */
const REQUEST = Uint8Array.from([16, 0, 0, 0, 16, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0]);

test("an ELF core is no request", () => {
  expect(requestSize(Uint8Array.from([0x7f, 0x45, 0x4c, 0x46]))).toBeUndefined();
});

test("a request tells its own size, also a longer one of a later kernel", () => {
  expect(requestSize(REQUEST.subarray(0, 4))).toBe(16);
  expect(requestSize(Uint8Array.from([64, 0, 0, 0]))).toBe(64);
});

test("what is too short or too long for a request is none", () => {
  expect(requestSize(Uint8Array.from([8, 0, 0, 0]))).toBeUndefined();
  expect(requestSize(Uint8Array.from([0, 0, 0, 1]))).toBeUndefined();
  expect(requestSize(Uint8Array.from([16]))).toBeUndefined();
});

test("an ack accepts or rejects, and asks the kernel to wait for us", () => {
  const request = parseRequest(REQUEST);
  expect(request).toEqual({ sizeBytes: 16, ackBytes: 16 });
  const accept = [16, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
  const reject = [16, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0];
  expect([...formatAck(request, "accept")]).toEqual(accept);
  expect([...formatAck(request, "reject")]).toEqual(reject);
});

test("a kernel that takes longer acks gets the one that we know", () => {
  const later = Uint8Array.from(REQUEST);
  later[4] = 32;
  expect(formatAck(parseRequest(later), "accept")).toHaveLength(16);
});

test("a request without room for an answer is not answered", () => {
  expect(() => parseRequest(REQUEST.subarray(0, 8))).toThrow("not understood");
  expect(() => parseRequest(new Uint8Array(16))).toThrow("not understood");
});

test("the pidfd is asked for the dump", () => {
  const request = formatInfoRequest();
  expect(request).toHaveLength(PIDFD_INFO_BYTES);
  // PIDFD_INFO_PID, PIDFD_INFO_EXIT, PIDFD_INFO_COREDUMP
  expect(request[0]).toBe(1 | 8 | 16);
});

for (const [mask, dumpable] of [
  [1 | 4, 1],
  [1 | 8, 2],
  [1, null],
] as const)
  test(`coredump_mask ${mask} is a dump with %d ${dumpable}`, () => {
    const info = new Uint8Array(PIDFD_INFO_BYTES);
    info[0] = 1 | 16;
    info[64] = mask;
    expect(parsePidfdInfo(info)).toEqual({ isDumping: true, dumpable });
  });

test("a process of which the kernel tells no dump has none", () => {
  const info = new Uint8Array(PIDFD_INFO_BYTES);
  info[0] = 1;
  info[64] = 1;
  expect(parsePidfdInfo(info)).toEqual({ isDumping: false, dumpable: null });
});
