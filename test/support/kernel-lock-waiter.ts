// A worker thread that waits for flock(2) in the kernel's own queue: who only asks again and again never
// gets the lock while others stand in line. Given a descriptor, it says "locked" when it is.
import { dlopen } from "bun:ffi";

declare const self: Worker;

const LOCK_EX = 2;
const musl = `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;

function open(name: string) {
  return dlopen(name, { flock: { args: ["i32", "i32"], returns: "i32" } }).symbols;
}

function openLibc() {
  try {
    return open("libc.so.6");
  } catch {
    return open(musl);
  }
}

self.addEventListener("message", (event: MessageEvent<number>) => {
  const { flock } = openLibc();
  // A signal may cut the wait short (EINTR).
  while (flock(event.data, LOCK_EX) !== 0) continue;
  postMessage("locked");
});
