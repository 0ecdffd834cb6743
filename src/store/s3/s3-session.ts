// One bucket and its client. Every request goes through run(), which names the action in errors, turns the SDK's
// errors into StoreErrors, signs for the region that a store insists on, and replaces a client whose credentials
// failed.
import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { StoreSettings } from "../../config/store-settings.ts";
import { createS3Client } from "./s3-client.ts";
import { planS3Endpoint, type S3Endpoint } from "./s3-endpoint.ts";
import { S3Error } from "./s3-error.ts";
import { explainS3Error } from "./s3-errors.ts";
import { failureOf, StoreError } from "../store-error.ts";

/** The options of the SDK's send. */
export type SendOptions = { abortSignal: AbortSignal };
type Send<T> = (client: S3Client, options: SendOptions) => Promise<T>;
/** The condition of a write that must not replace an object. */
export type Condition = { IfNoneMatch?: "*" };

/** A session with one bucket. */
export class S3Session {
  readonly settings: StoreSettings;
  readonly bucket: string;
  /** True without TLS. */
  readonly isPlain: boolean;
  /** True where requests carry a signed hash of the payload. */
  readonly signsPayload: boolean;
  readonly sendsCrc32: boolean;
  /**
   * How far this node's clock is ahead of the store's in its latest answer, in ms; undefined where that had no time.
   */
  aheadMs: number | undefined;
  private endpoint: S3Endpoint;
  /** The region from the settings. */
  private readonly planned: string | undefined;
  /**
   * Regions that the store's answers named. Each is tried once, so that two answers cannot send the client to and fro.
   */
  private readonly told = new Set<string>();
  private client: S3Client | undefined;
  /** True once the store has accepted the present client's credentials. */
  private worked = false;
  /** True until the store accepts without the condition a write that it refused with it. */
  private conditional: boolean;

  /** Throws AppError "configuration" where the settings name no possible address. */
  constructor(settings: StoreSettings) {
    this.settings = settings;
    this.endpoint = planS3Endpoint(settings);
    this.bucket = this.endpoint.bucket;
    this.planned = this.endpoint.region;
    this.isPlain = this.endpoint.url?.startsWith("http://") ?? false;
    this.signsPayload = { auto: this.isPlain, always: true, never: false }[
      settings.S3_SIGN_PAYLOAD
    ];
    this.sendsCrc32 = settings.S3_REQUEST_CHECKSUM === "when_supported";
    this.conditional = settings.S3_CONDITIONAL_WRITES;
  }

  /** The store's address, for messages. */
  get address(): string {
    const { url, region } = this.endpoint;
    if (url === undefined) return `S3 (${region ?? "region by the AWS profile"})`;
    return this.told.size === 0 ? url : `${url} (signed for ${region}, as it asks)`;
  }

  get name(): string {
    return `bucket ${this.bucket} at ${this.address}`;
  }

  /** Whether writes carry If-None-Match. */
  get isConditional(): boolean {
    return this.conditional;
  }

  at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: key };
  }

  /** Sends a request. `action` names its purpose for errors: "upload part 3 of T.zip". Throws StoreError. */
  async run<T>(action: string, signal: AbortSignal, send: Send<T>): Promise<T> {
    const worked = this.worked;
    const signedFor = this.endpoint.region;
    try {
      return await this.once(action, signal, send);
    } catch (error) {
      const reason = error instanceof S3Error ? await this.reasonOf(error, signal) : error;
      const region = reason instanceof S3Error ? reason.region : undefined;
      if (region !== undefined && this.obeys(region, signedFor))
        return this.run(action, signal, send);
      const refused = ["credentials", "forbidden"].includes(failureOf(error) ?? "");
      if (!refused || !worked || this.settings.S3_ACCESS_KEY !== "") throw reason;
      // Credentials that worked before and fail now have expired, whatever their announced lifetime: gets new ones.
      return this.once(action, signal, send);
    }
  }

  /** Finds the reason for a refusal without an error code, such as a HEAD's, by a request whose answer has a body. */
  private async reasonOf(error: S3Error, signal: AbortSignal): Promise<StoreError> {
    const isUnclear = error.failure === "refused" || error.failure === "configuration";
    if (!error.isWordless || error.region !== undefined || !isUnclear) return error;
    const question = new ListObjectsV2Command({ Bucket: this.bucket, MaxKeys: 1 });
    try {
      await this.once("list the bucket", signal, (client, options) =>
        client.send(question, options),
      );
      return error;
    } catch (answer) {
      if (!(answer instanceof StoreError) || answer.failure === "aborted") throw answer;
      const region = answer instanceof S3Error ? answer.region : undefined;
      return region === undefined && answer.failure === "forbidden" ? error : answer;
    }
  }

  /** Signs for the region that the store named from now on. Returns false where that was tried before. */
  private obeys(region: string, signedFor: string | undefined): boolean {
    // Another request has changed the region meanwhile.
    if (this.endpoint.region === region) return signedFor !== region;
    if (this.told.has(region) || region === this.planned) return false;
    this.told.add(region);
    this.endpoint = { ...this.endpoint, region };
    this.close();
    return true;
  }

  private async once<T>(action: string, signal: AbortSignal, send: Send<T>): Promise<T> {
    if (signal.aborted) throw new StoreError("aborted", `${action}: stopped`);
    const signedFor = this.endpoint.region;
    const client = (this.client ??= createS3Client(this.settings, this.endpoint, (answer) => {
      const storeMs = Date.parse(answer.headers.get("date") ?? "");
      this.aheadMs = Number.isNaN(storeMs) ? undefined : Date.now() - storeMs;
    }));
    try {
      const answer = await send(client, { abortSignal: signal });
      this.worked = true;
      return answer;
    } catch (error) {
      if (signal.aborted) throw new StoreError("aborted", `${action}: stopped`, { cause: error });
      const { bucket, address } = this;
      const { hostRegion } = this.endpoint;
      const explained = explainS3Error(error, { action, bucket, address, hostRegion, signedFor });
      // A new client asks the credential chain again. Another request may have made one already. A right that the
      // policy never gave (such as s3:ListBucket) does not need new credentials.
      const refused =
        explained.failure === "credentials" || (explained.failure === "forbidden" && this.worked);
      if (refused && this.client === client) this.close();
      throw explained;
    }
  }

  /** Sends a write with If-None-Match, unless it replaces an object or the store does not know the condition. */
  async write<T>(
    action: string,
    { signal, replaces }: { signal: AbortSignal; replaces: boolean },
    send: (client: S3Client, options: SendOptions, condition: Condition) => Promise<T>,
  ): Promise<T> {
    const without = () => this.run(action, signal, (client, options) => send(client, options, {}));
    if (!this.conditional || replaces) return without();
    try {
      return await this.run(action, signal, (client, options) =>
        send(client, options, { IfNoneMatch: "*" }),
      );
    } catch (error) {
      if (!mayNotKnowCondition(error)) throw error;
      const answer = await without();
      // Only now is it certain that the store refused the condition and not this dump.
      this.conditional = false;
      return answer;
    }
  }

  close(): void {
    this.client?.destroy();
    this.client = undefined;
    this.worked = false;
  }
}

/**
 * Returns whether a refusal may be about the condition: some stores answer NotImplemented, others refuse the header
 * like any bad request.
 */
function mayNotKnowCondition(error: unknown): boolean {
  if (failureOf(error) === "unsupported") return true;
  return failureOf(error) === "refused" && error instanceof S3Error && error.status === 400;
}
