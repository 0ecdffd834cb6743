// What every published zip must be, whatever happened to it on the way: accepted by all readers, named
// as the contract says, and labelled with the truth about its core.
import { expect } from "bun:test";
import { basename } from "node:path";
import { measureCore, type CoreSize } from "./core-size.ts";
import { extract, extractText, readWithAll } from "./zip-readers.ts";

export interface CheckedDump {
  info: Record<string, unknown>;
  core: CoreSize;
}

/** Checks one zip with everything there is. Fails the test when a reader or a label is wrong. */
export async function checkDump(zip: string): Promise<CheckedDump> {
  const base = basename(zip, ".zip");
  const [info, core] = await Promise.all([readInfo(zip), measureCore(extract(zip, "*.core"))]);
  const sizes = { [`${base}.core`]: core.received };
  for (const reading of await readWithAll(zip)) {
    expect(reading).toMatchObject({ ok: true, sizes });
    expect(Object.keys(reading.sizes)[0]).toBe(`${base}-dump-info.json`);
  }
  const whole = core.received === core.announced;
  expect(info).toMatchObject({ dump_file: `${base}.core`, core_bytes: core.received });
  if (!Number.isNaN(core.announced))
    expect(info).toMatchObject({ core_complete: whole, core_expected_bytes: core.announced });
  if (whole) expect(info["truncated_by"]).toBeNull();
  else expect(info["truncated_by"]).toBeString();
  return { info, core };
}

/** The first entry, parsed. */
export async function readInfo(zip: string): Promise<Record<string, unknown>> {
  return JSON.parse(await extractText(zip, "*-dump-info.json"));
}
