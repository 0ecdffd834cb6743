// What a composer asks of `keep-modules`: where modules go and within which limits, as one argument.
import * as v from "valibot";

/** The descriptors that the process is started with begin here: one for each mapped file. */
export const FIRST_FILE_FD = 3;

const orderSchema = v.object({
  /** How many mapped files there are. */
  files: v.number(),
  coreDir: v.string(),
  hostDir: v.string(),
  /** The dump's uuid, for the lines of composer.log. */
  uuid: v.string(),
  /** CORE_DIR's limits, as DiskLimits (disk-room.ts) has them. */
  quota: v.string(),
  free: v.string(),
  reserveBytes: v.number(),
  maxBytes: v.number(),
});

/** The order. */
export type KeepOrder = v.InferOutput<typeof orderSchema>;

/** Writes the argument. */
export function formatKeepOrder(order: KeepOrder): string {
  return JSON.stringify(order);
}

/** Parses the argument. Throws for what is none. */
export function parseKeepOrder(text: string): KeepOrder {
  return v.parse(orderSchema, JSON.parse(text));
}

const ownerSchema = v.object({ namespace: v.string(), workload: v.string() });

/** Parses the line that allows copying: whom the modules count for. Throws for what is none. */
export function parseKeepOwner(line: string): v.InferOutput<typeof ownerSchema> {
  return v.parse(ownerSchema, JSON.parse(line));
}
