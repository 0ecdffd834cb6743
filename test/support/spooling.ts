// A spool on a real file for tests of the drain, with the faults that a test wants.
import { join } from "node:path";
import { Spool, type SpoolContext, type SpoolStore } from "../../src/composer/spool.ts";
import { SpoolFile } from "../../src/host/spool-file.ts";

export interface TestSpool {
  spool: Spool;
  /** How many slots were written, and how many were given back. */
  slots: { written: number; freed: number; most: number };
  pauses: string[];
}

/** A spool at `folder`/spool; `faults` stands before the file's own methods. */
export function openTestSpool(
  folder: string,
  context: Partial<SpoolContext> = {},
  faults: (file: SpoolFile) => Partial<SpoolStore> = () => ({}),
): TestSpool {
  const slots = { written: 0, freed: 0, most: 0 };
  const pauses: string[] = [];
  const create = async (): Promise<SpoolStore> => {
    const file = await SpoolFile.create(join(folder, "spool"));
    const store: SpoolStore = {
      write: async (slot, parts) => {
        await file.write(slot, parts);
        slots.written = slot + parts.length;
        slots.most = Math.max(slots.most, slots.written - slots.freed);
      },
      read: (slot, into) => file.read(slot, into),
      free: (from, to) => {
        slots.freed = to;
        file.free(from, to);
      },
      sync: () => file.sync(),
      drop: (from, to) => file.drop(from, to),
      remove: () => file.remove(),
    };
    return { ...store, ...faults(file) };
  };
  const spool = new Spool({
    create,
    limitBytes: () => Infinity,
    onStep: () => undefined,
    onReady: () => undefined,
    onPause: (why) => pauses.push(why),
    ...context,
  });
  return { spool, slots, pauses };
}
