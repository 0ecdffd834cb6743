// A limit on how long a file call on a share may take. A hard NFS mount whose server is gone blocks its
// callers for ever and cannot be interrupted: we stop waiting, and start no further call until the stuck
// one is back, lest every thread of the pool ends up there.
import { StoreError } from "./store-error.ts";

/** Makes a call and waits; `sizeBytes` that it moves give it more time (64 KiB/s). Throws StoreError "timeout". */
export type StallGuard = <T>(call: () => Promise<T>, sizeBytes?: number) => Promise<T>;

const SLOWEST_BYTES_PER_MS = 64;

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
