// Limits how long a file call on a share may take. A hard NFS mount whose server has gone blocks its callers for ever,
// and nothing can interrupt them. The guard stops waiting, and starts no further call until the stuck one returns, so
// that the thread pool does not fill up with stuck calls.
import { StoreError } from "./store-error.ts";

/**
 * Makes a call and waits for it. The time grows with the bytes that the call moves (64 KiB/s). Throws StoreError
 * "timeout".
 */
export type StallGuard = <T>(call: () => Promise<T>, sizeBytes?: number) => Promise<T>;

const SLOWEST_BYTES_PER_MS = 64;

/** Makes a guard for the share at `root`; a call may take timeoutMs, and more for its bytes. */
export function stallGuard(root: string, timeoutMs: number): StallGuard {
  let stuck = 0;
  const gone = (waitedMs: number) =>
    new StoreError("timeout", `${root} did not answer within ${Math.ceil(waitedMs / 1000)} s`, {
      hint: "a call hangs there; is the share's server up?",
    });
  return async <T>(call: () => Promise<T>, sizeBytes = 0): Promise<T> => {
    const limitMs = timeoutMs + sizeBytes / SLOWEST_BYTES_PER_MS;
    if (stuck > 0) throw gone(timeoutMs);
    const called = call();
    const expiry = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      stuck++;
      const back = () => stuck--;
      called.then(back, back);
      expiry.reject(gone(limitMs));
    }, limitMs);
    try {
      return await Promise.race([called, expiry.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}
