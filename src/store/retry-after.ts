// Reads the header by which a server asks to be left alone for a while.

/**
 * Parses Retry-After, which is in seconds or a date (RFC 9110, 10.2.3). Returns ms, at most an hour; 0 for any other
 * text.
 */
export function parseRetryAfter(value: string | undefined, nowMs = Date.now()): number {
  if (value === undefined) return 0;
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(waitMs) ? Math.min(3_600_000, Math.max(0, waitMs)) : 0;
}
