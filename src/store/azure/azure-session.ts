// One container and how it is asked. Every request goes through run(), which signs it, turns refusals into StoreErrors
// and gets another token for one that the store no longer takes.
import type { StoreSettings } from "../../config/store-settings.ts";
import { refusePlainHttp } from "../plain-http.ts";
import { parseRetryAfter } from "../retry-after.ts";
import { failureOf, StoreError } from "../store-error.ts";
import { openExchange, type Exchange, type HttpAnswer } from "../store-http.ts";
import { planAzureAccount, type AzureAccount } from "./azure-account.ts";
import { chooseCredentials, type AzureCredentials } from "./azure-credentials.ts";
import { BY_CODE, byStatus, type AzureContext } from "./azure-error-codes.ts";
import { addressOf, API_VERSION, type AzureRequest } from "./azure-request.ts";

/** A session with one container. */
export class AzureSession {
  readonly settings: StoreSettings;
  /** The container and where it is, for messages. */
  readonly name: string;
  /** True without TLS. */
  readonly isPlain: boolean;
  /**
   * How far this node's clock is ahead of the store's in its latest answer, in ms; undefined where that had no time.
   */
  aheadMs: number | undefined;
  private readonly account: AzureAccount;
  private readonly credentials: AzureCredentials;
  private readonly exchange: Exchange;
  /** True once the store has accepted the credentials. */
  private worked = false;

  /** Throws AppError "configuration" for settings that contradict each other, or send a token in the open. */
  constructor(settings: StoreSettings) {
    this.settings = settings;
    this.account = planAzureAccount(settings);
    const { endpoint, container, account } = this.account;
    this.name = `container ${container} at ${endpoint}`;
    this.isPlain = endpoint.startsWith("http:");
    this.credentials = chooseCredentials(settings, this.account);
    if (this.credentials.kind === "token") refusePlainHttp(endpoint, "STORE_URL");
    this.exchange = openExchange(settings, {
      address: endpoint,
      hint: `is ${account} the name of a storage account? check STORE_URL, name resolution and network policies`,
    });
  }

  /**
   * Sends a request; `make` makes it, anew for every sending. `action` names its purpose for errors: "upload part 3 of
   * T.zip". Throws StoreError.
   */
  async run(action: string, signal: AbortSignal, make: () => AzureRequest): Promise<HttpAnswer> {
    const worked = this.worked;
    try {
      return await this.once(action, signal, make());
    } catch (error) {
      const isRefused = ["credentials", "forbidden"].includes(failureOf(error) ?? "");
      // A token that worked before and fails now is over, whatever its announced lifetime.
      if (!isRefused || !worked || !this.credentials.renew()) throw error;
      this.worked = false;
      return this.once(action, signal, make());
    }
  }

  private async once(
    action: string,
    signal: AbortSignal,
    request: AzureRequest,
  ): Promise<HttpAnswer> {
    const { endpoint, container } = this.account;
    const url = addressOf(endpoint, container, request);
    const { method, body, bodyBytes = 0 } = request;
    const headers: Record<string, string> = {
      "x-ms-date": new Date().toUTCString(),
      "x-ms-version": API_VERSION,
      // What fetch would add by itself, after the signature, is set here.
      ...(method === "PUT"
        ? { "content-type": "application/octet-stream", "content-length": String(bodyBytes) }
        : {}),
      ...request.headers,
    };
    await this.credentials.apply({ method, url, headers }, signal);
    const { patience, answerMaxBytes } = request;
    const answer = await this.exchange(
      {
        method,
        url: url.href,
        headers,
        bodyBytes,
        ...(body === undefined ? {} : { body }),
        ...(patience === undefined ? {} : { patience }),
        ...(answerMaxBytes === undefined ? {} : { answerMaxBytes }),
      },
      signal,
    );
    const storeMs = Date.parse(answer.headers.get("date") ?? "");
    this.aheadMs = Number.isNaN(storeMs) ? undefined : Date.now() - storeMs;
    if (answer.status < 300) {
      this.worked = true;
      return answer;
    }
    const failure = this.explain(action, answer);
    // The next attempt asks for another token.
    if (failure.failure === "credentials") this.credentials.renew();
    throw failure;
  }

  private explain(action: string, { status, headers, body }: HttpAnswer): StoreError {
    const text = body.toString("utf8", 0, 16_384);
    const code = headers.get("x-ms-error-code") ?? /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? "";
    const { account, container } = this.account;
    const credentials = this.credentials.kind;
    const context: AzureContext = { action, account, container, credentials, detail: text };
    const known = BY_CODE[code] ?? byStatus(status);
    const cause = new Error(code === "" ? String(status) : `${status} ${code}`);
    const retryAfterMs = parseRetryAfter(headers.get("retry-after") ?? undefined);
    if (known === undefined)
      return new StoreError("refused", `${action}: ${account} refused it`, { cause, retryAfterMs });
    const hint = known.hint?.(context);
    return new StoreError(known.failure, known.message(context), {
      cause,
      retryAfterMs,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
