// Finished zips as the composer leaves them, for tests of what happens to them afterwards: dump-info first,
// then a core of noise. Written by fflate, so that they are real zips.
import { randomFillSync } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./at-end.ts";
import { Zip, ZipDeflate, ZipPassThrough } from "fflate";

export interface DumpOptions {
  /** Bytes of the core. */
  coreBytes: number;
  info?: Record<string, unknown>;
  /** dump-info deflated instead of stored. */
  deflateInfo?: boolean;
}

/** An empty folder that is removed when the tests are over. */
export function temporaryFolder(prefix = "cdh-store-"): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes `folder/name` and returns its path. */
export function writeDump(folder: string, name: string, options: DumpOptions): string {
  const path = join(folder, name);
  const fd = openSync(path, "wx", 0o600);
  const title = name.replace(/\.zip$/, "");
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
  });
  const infoName = `${title}-dump-info.json`;
  const info =
    options.deflateInfo === true ? new ZipDeflate(infoName) : new ZipPassThrough(infoName);
  zip.add(info);
  const text = JSON.stringify({ uuid: crypto.randomUUID(), ...options.info }, null, 2);
  info.push(new TextEncoder().encode(text.padEnd(4096)), true);
  const core = new ZipPassThrough(`${title}.core`);
  zip.add(core);
  const noise = new Uint8Array(Math.min(1 << 20, Math.max(1, options.coreBytes)));
  for (let left = options.coreBytes; left > 0; left -= noise.length) {
    randomFillSync(noise);
    core.push(noise.slice(0, Math.min(left, noise.length)), false);
  }
  core.push(new Uint8Array(0), true);
  zip.end();
  closeSync(fd);
  return path;
}

export async function sha256Of(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}
