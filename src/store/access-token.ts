// Keeps a bearer token as long as it is good, and gets another one before it ends.

/** A token as an issuer gives it. */
export interface IssuedToken {
  token: string;
  lifetimeSeconds: number;
}

/** Tokens for requests. */
export interface TokenSource {
  /** Returns a token that is good for a while. Throws StoreError, or what the issuer's request throws. */
  get(signal: AbortSignal): Promise<string>;
  /** Drops the present token, because the store refused it. */
  forget(): void;
}

/** Gets a new token this long before the end of the old one, or in the last fifth of a short life. */
const EARLY_MS = 5 * 60_000;
const EARLY_SHARE = 0.2;

/** Keeps the tokens of an issuer. Requests at the same time share one question. */
export function keepToken(
  issue: (signal: AbortSignal) => Promise<IssuedToken>,
  now: () => number = () => performance.now(),
): TokenSource {
  let kept: { token: string; staleAtMs: number } | undefined;
  let asked: Promise<string> | undefined;

  async function renew(signal: AbortSignal): Promise<string> {
    const askedMs = now();
    const { token, lifetimeSeconds } = await issue(signal);
    const lifetimeMs = lifetimeSeconds * 1000;
    const staleAtMs = askedMs + lifetimeMs - Math.min(EARLY_MS, lifetimeMs * EARLY_SHARE);
    kept = { token, staleAtMs };
    return token;
  }

  return {
    async get(signal) {
      if (kept !== undefined && now() < kept.staleAtMs) return kept.token;
      asked ??= renew(signal).finally(() => {
        asked = undefined;
      });
      return asked;
    },
    forget() {
      kept = undefined;
    },
  };
}
