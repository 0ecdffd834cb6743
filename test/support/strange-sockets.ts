// Sockets where a container runtime should be: one that never answers, one that closes at once, one that
// talks rubbish, one that is not there.
import { createServer, type Socket } from "node:net";
import { rm } from "node:fs/promises";

export const STRANGE = ["silent", "closing", "garbage", "missing"] as const;
export type StrangeSocket = (typeof STRANGE)[number];

/** Frames of no known type, then what is no frame at all. */
const GARBAGE = Buffer.concat([
  Buffer.from("000000040000000000", "hex"),
  Buffer.from("00000977ff00000001deadbeefdeadbeef00", "hex"),
  Buffer.alloc(4096, 0xa5),
]);

const BEHAVIOUR: Record<StrangeSocket, (socket: Socket) => void> = {
  silent: () => undefined,
  closing: (socket) => socket.destroy(),
  garbage: (socket) => socket.write(GARBAGE),
  missing: () => undefined,
};

/** Runs with such a socket at `path`. */
export async function withStrangeSocket<T>(
  kind: StrangeSocket,
  path: string,
  body: () => Promise<T>,
): Promise<T> {
  if (kind === "missing") return body();
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    BEHAVIOUR[kind](socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    return await body();
  } finally {
    for (const socket of open) socket.destroy();
    server.close();
    await rm(path, { force: true });
  }
}
