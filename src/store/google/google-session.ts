// One bucket and how it is asked, by the JSON API. Every request goes through run(), which adds the token, turns
// refusals into StoreErrors and gets another token for one that the store no longer takes.
import type { StoreSettings } from "../../config/store-settings.ts";
import { AppError } from "../../model/app-error.ts";
import { parseStoreUrl } from "../../model/store-url.ts";
import type { TokenSource } from "../access-token.ts";
import { refuseDotSegments } from "../key-path.ts";
import { refusePlainHttp } from "../plain-http.ts";
import { parseRetryAfter } from "../retry-after.ts";
import { failureOf } from "../store-error.ts";
import { openExchange, type Exchange, type HttpAnswer, type HttpRequest } from "../store-http.ts";
import { explainGoogleError } from "./google-errors.ts";
import { openGoogleTokens } from "./google-tokens.ts";

const GOOGLE = "https://storage.googleapis.com";

/** One request; `url` is absolute. */
export interface GoogleRequest extends Omit<HttpRequest, "headers"> {
  headers?: Record<string, string>;
  /** True for the address of an upload, which answers 308 for what is not finished. */
  isUpload?: boolean;
}

/** A session with one bucket. */
export class GoogleSession {
  readonly settings: StoreSettings;
  readonly bucket: string;
  /** The bucket and where it is, for messages. */
  readonly name: string;
  /** Google's address, or the emulator's. */
  readonly endpoint: string;
  /** True without TLS. */
  readonly isPlain: boolean;
  /**
   * How far this node's clock is ahead of the store's in its latest answer, in ms; undefined where that had no time.
   */
  aheadMs: number | undefined;
  /** Undefined for an emulator that is asked without credentials. */
  private readonly tokens: TokenSource | undefined;
  private readonly exchange: Exchange;
  /** True once the store has accepted the credentials. */
  private worked = false;

  /** Throws AppError "configuration" for credentials that are none, or that would go out in the open. */
  constructor(settings: StoreSettings) {
    const address = parseStoreUrl(settings.STORE_URL);
    if (address?.kind !== "google")
      throw new AppError("configuration", "STORE_URL names no bucket of Cloud Storage");
    this.settings = settings;
    this.bucket = address.bucket;
    this.endpoint = endpointOf(settings.STORAGE_EMULATOR_HOST);
    this.name = `bucket ${this.bucket} at ${this.endpoint}`;
    this.isPlain = this.endpoint.startsWith("http:");
    this.tokens = openGoogleTokens(settings);
    if (this.tokens !== undefined) refusePlainHttp(this.endpoint, "STORAGE_EMULATOR_HOST");
    this.exchange = openExchange(settings, {
      address: this.endpoint,
      hint: "check name resolution and network policies, and STORAGE_EMULATOR_HOST where it is set",
    });
  }

  /** Returns the address of an object's resource. Throws StoreError "name_refused". */
  objectUrl(key: string, query: Readonly<Record<string, string>>): string {
    refuseDotSegments(key);
    return this.url(`storage/v1/b/${this.bucket}/o/${encodeURIComponent(key)}`, query);
  }

  /** Returns the address of the bucket's list of objects. */
  listUrl(query: Readonly<Record<string, string>>): string {
    return this.url(`storage/v1/b/${this.bucket}/o`, query);
  }

  /** Returns the address where uploads begin. */
  uploadUrl(query: Readonly<Record<string, string>>): string {
    return this.url(`upload/storage/v1/b/${this.bucket}/o`, query);
  }

  private url(path: string, query: Readonly<Record<string, string>>): string {
    return `${this.endpoint}/${path}?${new URLSearchParams(query).toString()}`;
  }

  /**
   * Sends a request; `make` makes it, anew for every sending. `action` names its purpose for errors: "upload part 3 of
   * T.zip". Throws StoreError.
   */
  async run(action: string, signal: AbortSignal, make: () => GoogleRequest): Promise<HttpAnswer> {
    const worked = this.worked;
    try {
      return await this.once(action, signal, make());
    } catch (error) {
      const isRefused = ["credentials", "forbidden"].includes(failureOf(error) ?? "");
      // A token that worked before and fails now is over, whatever its announced lifetime.
      if (!isRefused || !worked || this.tokens === undefined) throw error;
      this.tokens.forget();
      this.worked = false;
      return this.once(action, signal, make());
    }
  }

  private async once(
    action: string,
    signal: AbortSignal,
    { isUpload = false, ...request }: GoogleRequest,
  ): Promise<HttpAnswer> {
    const headers: Record<string, string> = { ...request.headers };
    if (this.tokens !== undefined)
      headers["authorization"] = `Bearer ${await this.tokens.get(signal)}`;
    const answer = await this.exchange({ ...request, headers }, signal);
    const storeMs = Date.parse(answer.headers.get("date") ?? "");
    this.aheadMs = Number.isNaN(storeMs) ? undefined : Date.now() - storeMs;
    const { status } = answer;
    // 308: go on; 499: the upload was cancelled, as was asked.
    if (status < 300 || (isUpload && (status === 308 || status === 499))) {
      this.worked = true;
      return answer;
    }
    if (status === 401) this.tokens?.forget();
    const retryAfterMs = parseRetryAfter(answer.headers.get("retry-after") ?? undefined);
    const body = answer.body.toString("utf8", 0, 16_384);
    const { bucket } = this;
    throw explainGoogleError({ status, body, retryAfterMs }, { action, bucket, isUpload });
  }
}

function endpointOf(emulator: string): string {
  if (emulator === "") return GOOGLE;
  const text = /^https?:\/\//.test(emulator) ? emulator : `http://${emulator}`;
  if (!URL.canParse(text))
    throw new AppError("configuration", "STORAGE_EMULATOR_HOST is no address", {
      hint: "it reads http://host:port",
    });
  return text.replace(/\/+$/, "");
}
