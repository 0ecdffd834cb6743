// A reader throws this for bytes that are not what they should be. It never leaves src/explain: who asks for an
// optional piece catches it and notes the reason.

/** Thrown for bytes that are not what their format demands. */
export class Malformed extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "Malformed";
  }
}

/** Returns what `read` gives, or undefined where the bytes are malformed. Lets errors of our own pass. */
export function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
