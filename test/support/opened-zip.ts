// A published zip, unpacked by unzip, its entries by their suffix after the dump's name.
import { mkdir, readFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { DumpInfo } from "../../src/model/dump-info.ts";
import { runTool } from "./run-tool.ts";

export interface OpenedZip {
  path: string;
  info: DumpInfo;
  /** In the central directory's order, as suffixes: "-dump-info.json", ".core", … */
  suffixes: string[];
  bytes(suffix: string): Promise<Buffer>;
  text(suffix: string): Promise<string>;
  json(suffix: string): Promise<Record<string, unknown>>;
}

export async function openZip(path: string, folder: string): Promise<OpenedZip> {
  const base = basename(path, ".zip");
  const target = join(folder, "unzipped", base);
  await mkdir(target, { recursive: true });
  await runTool(["unzip", "-q", "-o", path, "-d", target]);
  const listing = await runTool(["unzip", "-Z1", path]);
  const suffixes = listing
    .trimEnd()
    .split("\n")
    .map((name) => name.slice(base.length));
  const bytes = (suffix: string) => readFile(join(target, `${base}${suffix}`));
  const text = async (suffix: string) => (await bytes(suffix)).toString("utf8");
  const json = async (suffix: string) => JSON.parse(await text(suffix)) as Record<string, unknown>;
  const info = (await json("-dump-info.json")) as unknown as DumpInfo;
  return { path, info, suffixes, bytes, text, json };
}

/** A zip's dump-info alone; nothing else is unpacked, as a forged core may have a tebibyte. */
export async function readZipInfo(path: string): Promise<DumpInfo> {
  return JSON.parse(await runTool(["unzip", "-p", path, "*-dump-info.json"])) as DumpInfo;
}

/** The one zip in CORE_DIR whose process had this name: other crashes of the machine go there too. */
export async function openZipOf(exe: string, coreDir: string, folder: string): Promise<OpenedZip> {
  const zips = (await readdir(coreDir)).filter((name) => name.endsWith(".zip"));
  const paths = zips.map((name) => join(coreDir, name));
  const programs = await Promise.all(paths.map(async (path) => (await readZipInfo(path)).exe));
  const [found, ...others] = paths.filter((_, index) => programs[index] === exe);
  if (found === undefined || others.length > 0)
    throw new Error(`expected one zip of ${exe}, got ${programs.join()}`);
  return openZip(found, folder);
}
