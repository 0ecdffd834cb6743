// Tells people of delivered dumps (NOTIFY_URL): of each bug's first, or of all, within a limit an hour. Runs beside
// delivery, waits for nobody, and never keeps a dump.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { pause } from "../../host/timer.ts";
import type { Log } from "../../host/log.ts";
import { describeError } from "../../model/app-error.ts";
import { planBackoff } from "../../model/backoff.ts";
import type { KnownInfo } from "../../model/dump-info.ts";
import { openStoreWriter } from "../../store/open-store.ts";
import type { StoreWriter } from "../../store/store-port.ts";
import { formatNotification } from "./message.ts";
import { NotifyLimit } from "./notify-limit.ts";

/** How many wait to be sent; a further one is counted and not told. */
const WAITING_MAX = 100;
const ATTEMPTS = 5;
const ANSWER_MAX_MS = 10_000;
const BACKOFF = { baseMs: 2_000, capMs: 60_000 };
/** How many bugs an agent remembers that has no index to ask. */
const REMEMBERED_MAX = 10_000;

/** How one crash was told. */
export type NotifyOutcome = "sent" | "failed" | "limited" | "known";

/** What the notifier needs. */
export interface NotifierContext {
  settings: AgentSettings;
  log: Log;
  signal: AbortSignal;
  /** Called with what became of each. */
  onOutcome: (outcome: NotifyOutcome) => void;
  backoff?: { baseMs: number; capMs: number };
}

/** Tells of crashes. */
export interface Notifier {
  /** Returns at once. */
  offer(info: KnownInfo, key: string): void;
  /** Settles when nothing waits; what is being sent ends with the signal. */
  idle(): Promise<void>;
  close(): void;
}

/** Opens the notifier; undefined where nobody wants one. */
export function openNotifier(context: NotifierContext): Notifier | undefined {
  return context.settings.NOTIFY_URL === "" ? undefined : new WebhookNotifier(context);
}

class WebhookNotifier implements Notifier {
  private readonly context: NotifierContext;
  private readonly limit: NotifyLimit;
  private readonly waiting: { info: KnownInfo; key: string }[] = [];
  private readonly remembered = new Set<string>();
  private running: Promise<void> | undefined;
  private store: StoreWriter | undefined;

  constructor(context: NotifierContext) {
    this.context = context;
    this.limit = new NotifyLimit(context.settings.NOTIFY_LIMIT);
  }

  offer(info: KnownInfo, key: string): void {
    if (this.waiting.length >= WAITING_MAX) {
      this.limit.untold++;
      this.context.onOutcome("limited");
      return;
    }
    this.waiting.push({ info, key });
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  async idle(): Promise<void> {
    await this.running;
  }

  close(): void {
    this.store?.close();
    this.store = undefined;
  }

  private async run(): Promise<void> {
    const { signal, onOutcome } = this.context;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (signal.aborted) return;
      onOutcome(await this.tell(next.info, next.key));
    }
  }

  private async tell(info: KnownInfo, key: string): Promise<NotifyOutcome> {
    const { settings } = this.context;
    const isFirst = await this.isFirst(info);
    if (!isFirst && settings.NOTIFY_ON === "first") return "known";
    const { untold } = this.limit;
    if (!this.limit.take(info.namespace ?? "", Date.now())) return "limited";
    const { CLUSTER_NAME: cluster, NOTIFY_PAGE: page } = settings;
    const isSent = await this.send(
      formatNotification({ info, key, cluster, isFirst, untold, page }),
    );
    if (isSent) this.limit.untold -= untold;
    return isSent ? "sent" : "failed";
  }

  /**
   * Whether nobody saw this bug before: no agent of the fleet where there is an index, in which the first one leaves a
   * mark; else not this agent.
   */
  private async isFirst(info: KnownInfo): Promise<boolean> {
    const { settings, signal, log } = this.context;
    const hasBug = /^[0-9a-f]{16}$/.test(info.bug ?? "");
    const name = hasBug ? (info.bug ?? "") : `${info.exe} ${info.signal} ${info.namespace}`;
    if (this.remembered.has(name)) return false;
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered.clear();
    this.remembered.add(name);
    if (!hasBug || !settings.STORE_INDEX) return true;
    try {
      this.store ??= await openStoreWriter(settings);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MAX_MS)]);
      return (
        (await this.store.mark(`${settings.STORE_INDEX_PREFIX}bugs/${name}`, limit)) === "made"
      );
    } catch (error) {
      log.debug("notify_mark_failed", { error: describeError(error) });
      return true;
    }
  }

  private async send(body: string): Promise<boolean> {
    const { settings, signal, log, backoff = BACKOFF } = this.context;
    let why = "";
    for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
      const answer = await post(settings.NOTIFY_URL, body, signal);
      if (answer === "sent") return true;
      ({ why } = answer);
      if (!answer.mayPass) break;
      if (attempt < ATTEMPTS) await pause(planBackoff(attempt, backoff, Math.random), signal);
    }
    // The address may hold a secret.
    log.warn("notify_failed", { host: new URL(settings.NOTIFY_URL).host, error: why });
    return false;
  }
}

async function post(
  url: string,
  body: string,
  signal: AbortSignal,
): Promise<"sent" | { why: string; mayPass: boolean }> {
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MAX_MS)]),
    });
    await answer.body?.cancel();
    if (answer.ok) return "sent";
    const { status } = answer;
    return { why: `HTTP ${status}`, mayPass: status >= 500 || status === 429 || status === 408 };
  } catch (error) {
    const why = error instanceof Error ? error.name : "no answer";
    return { why, mayPass: true };
  }
}
