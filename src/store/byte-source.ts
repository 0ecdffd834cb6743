// The port to bytes that can be read at any offset. This file has the adapter for a file; a StoreReader makes the one
// for an object.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { AppError } from "../model/app-error.ts";

/** Bytes that can be read at any offset; the caller closes them. */
export interface ByteSource {
  /** The source's name, for messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Reads the bytes [start, end), fewer only at the end of the source. */
  read(start: number, end: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Opens a file. Throws AppError "archive" where there is no regular file. */
export async function openFileSource(path: string): Promise<ByteSource> {
  // With O_NONBLOCK a FIFO of that name cannot block the program; regular files ignore the flag.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (cause: unknown) => {
      throw new AppError("archive", `cannot open ${path}`, { cause });
    },
  );
  const found = await file.stat();
  if (!found.isFile()) {
    await file.close();
    throw new AppError("archive", `${path} is no file`);
  }
  return {
    name: path,
    sizeBytes: found.size,
    async read(start, end) {
      const buffer = Buffer.alloc(Math.max(0, Math.min(end, found.size) - start));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
      return buffer.subarray(0, bytesRead);
    },
    close: () => file.close(),
  };
}
