// A page of another site must not read ours through a name of its own that leads to 127.0.0.1 (DNS rebinding): only
// requests that ask for this machine by its own names are answered.

const OWN_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Returns whether a request's Host header names this machine itself, at any port (a port-forward has another). */
export function isOwnHost(host: string | null): boolean {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:]+)(?::\d{1,5})?$/.exec(host ?? "");
  return OWN_NAMES.has((match?.[1] ?? "").toLowerCase());
}
