// Drives a container runtime over CRI for the tests, with libraries and message definitions of its own:
// nothing of the composer's client is in here, so it can testify against it.
import { readFileSync } from "node:fs";
import { Client, credentials } from "@grpc/grpc-js";
import { parse, type Type } from "protobufjs";

/** A message as crictl would print it: 64-bit numbers as text, enums by name, unset messages null. */
export type CriJson = Record<string, unknown>;

const { root } = parse(
  readFileSync(new URL("../fixtures/container/cri-driver.proto", import.meta.url), "utf8"),
);
const AS_CRICTL = { longs: String, enums: String, defaults: true } as const;
const TIMEOUT_MS = 20_000;

export class CriDriver {
  readonly #client: Client;

  constructor(socketPath: string) {
    this.#client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
      "grpc.default_authority": "localhost",
      "grpc.max_receive_message_length": -1,
    });
  }

  /** Calls a method of RuntimeService, or of ImageService where its name says Image. */
  call(method: string, request: CriJson = {}): Promise<CriJson> {
    const service = method.includes("Image") ? "ImageService" : "RuntimeService";
    const requestType: Type = root.lookupType(`runtime.v1.${method}Request`);
    const responseType: Type = root.lookupType(`runtime.v1.${method}Response`);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        `/runtime.v1.${service}/${method}`,
        (value: CriJson) => Buffer.from(requestType.encode(requestType.fromObject(value)).finish()),
        (bytes: Buffer): CriJson => responseType.toObject(responseType.decode(bytes), AS_CRICTL),
        request,
        { deadline: Date.now() + TIMEOUT_MS },
        (error, value) => {
          if (error !== null) reject(new Error(`${method}: ${error.message}`, { cause: error }));
          else resolve(value ?? {});
        },
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}
