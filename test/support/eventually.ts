// Waits for something that another process does, for as long as a slow machine may need.

const STEP_MS = 20;
const MAX_MS = 60_000;

/** Settles when the condition holds. Throws where it does not within a minute. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < MAX_MS; waitedMs += STEP_MS) {
    if (await holds()) return;
    await Bun.sleep(STEP_MS);
  }
  throw new Error("it did not happen within a minute");
}
