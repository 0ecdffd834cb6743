// One bucket and the client that talks to it: every request goes through run(), which names what was
// being done, turns what the SDK throws into StoreError, and drops a client whose credentials failed.
import type { S3Client } from "@aws-sdk/client-s3";
import type { StoreSettings } from "../../config/store-settings.ts";
import { createS3Client } from "./s3-client.ts";
import { planS3Endpoint, type S3Endpoint } from "./s3-endpoint.ts";
import { explainS3Error } from "./s3-errors.ts";
import { failureOf, StoreError } from "./store-error.ts";

export type SendOptions = { abortSignal: AbortSignal };
type Send<T> = (client: S3Client, options: SendOptions) => Promise<T>;
export type Condition = { IfNoneMatch?: "*" };

export class S3Session {
  readonly settings: StoreSettings;
  readonly bucket: string;
  readonly address: string;
  /** No TLS. */
  readonly isPlain: boolean;
  /** The payload is hashed and the hash signed. */
  readonly signsPayload: boolean;
  readonly sendsCrc32: boolean;
  /** How far our clock is before the store's, by its latest answer; undefined where it told no time. */
  aheadMs: number | undefined;
  readonly #endpoint: S3Endpoint;
  #client: S3Client | undefined;
  /** The present client's credentials have been accepted. */
  #worked = false;
  /** Until the store says NotImplemented. */
  #conditional: boolean;

  /** Throws AppError "configuration". */
  constructor(settings: StoreSettings) {
    this.settings = settings;
    this.#endpoint = planS3Endpoint(settings);
    this.bucket = this.#endpoint.bucket;
    this.address = this.#endpoint.url ?? `S3 (${this.#endpoint.region ?? "region by AWS_REGION"})`;
    this.isPlain = this.#endpoint.url?.startsWith("http://") ?? false;
    this.signsPayload = { auto: this.isPlain, always: true, never: false }[
      settings.S3_SIGN_PAYLOAD
    ];
    this.sendsCrc32 = settings.S3_REQUEST_CHECKSUM === "when_supported";
    this.#conditional = settings.S3_CONDITIONAL_WRITES;
  }

  at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: key };
  }

  /** Sends a request. `action` says what it is for: "upload part 3 of T.zip". */
  async run<T>(action: string, signal: AbortSignal, send: Send<T>): Promise<T> {
    const worked = this.#worked;
    try {
      return await this.#once(action, signal, send);
    } catch (error) {
      const refused = ["credentials", "forbidden"].includes(failureOf(error) ?? "");
      if (!refused || !worked || this.settings.S3_ACCESS_KEY !== "") throw error;
      // What worked before and does not now has expired, whatever lifetime we were told: ask for new ones.
      return this.#once(action, signal, send);
    }
  }

  async #once<T>(action: string, signal: AbortSignal, send: Send<T>): Promise<T> {
    if (signal.aborted) throw new StoreError("aborted", `${action}: stopped`);
    const client = (this.#client ??= createS3Client(this.settings, this.#endpoint, (answer) => {
      const storeMs = Date.parse(answer.headers.get("date") ?? "");
      this.aheadMs = Number.isNaN(storeMs) ? undefined : Date.now() - storeMs;
    }));
    try {
      const answer = await send(client, { abortSignal: signal });
      this.#worked = true;
      return answer;
    } catch (error) {
      if (signal.aborted) throw new StoreError("aborted", `${action}: stopped`, { cause: error });
      const { bucket, address } = this;
      const explained = explainS3Error(error, { action, bucket, address });
      // A fresh client asks the credential chain again. Another request may have made one already; and what
      // was never allowed (a policy without s3:ListBucket) does not need other credentials.
      const refused =
        explained.failure === "credentials" || (explained.failure === "forbidden" && this.#worked);
      if (refused && this.#client === client) this.close();
      throw explained;
    }
  }

  /** Sends a write under If-None-Match, or without it to a store that does not know it. */
  async write<T>(
    action: string,
    signal: AbortSignal,
    send: (client: S3Client, options: SendOptions, condition: Condition) => Promise<T>,
  ): Promise<T> {
    if (this.#conditional)
      try {
        return await this.run(action, signal, (client, options) =>
          send(client, options, { IfNoneMatch: "*" }),
        );
      } catch (error) {
        if (failureOf(error) !== "unsupported") throw error;
        this.#conditional = false;
      }
    return this.run(action, signal, (client, options) => send(client, options, {}));
  }

  close(): void {
    this.#client?.destroy();
    this.#client = undefined;
    this.#worked = false;
  }
}
