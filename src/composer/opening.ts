// Begins a dump's file: makes CORE_DIR where it is missing, creates the partial, writes dump-info as far as it is
// known, and begins the core's entry. Removes a file that cannot hold even that.
import { mkdir } from "node:fs/promises";
import type { ComposerSettings } from "../config/composer-settings.ts";
import { AppError } from "../model/app-error.ts";
import { compressionOf, methodOf } from "../model/core-compression.ts";
import { CORE_SUFFIX, DUMP_INFO_SUFFIX } from "../model/dump-entries.ts";
import { formatDumpInfo, type DumpInfo } from "../model/dump-info.ts";
import { renderDumpName } from "../model/dump-name.ts";
import { FIRST_ENTRY_MAX_BYTES } from "../model/partial-layout.ts";
import { templateValues } from "./dump-facts.ts";
import { PartialFile, isNoSpace } from "./partial-file.ts";
import { ZipArchive, type ArchiveFile } from "./zip-archive.ts";

/** A dump that has begun. */
export interface OpenedDump {
  file: PartialFile;
  archive: ZipArchive;
  /** Writes more into dump-info while the core is written, for whoever seals the file of a killed composer. */
  note: (facts: Partial<DumpInfo>) => Promise<void>;
}

/** Begins a dump. Throws AppError "core_directory" when CORE_DIR cannot take one. */
export async function openDump(
  coreDir: string,
  info: DumpInfo,
  settings: ComposerSettings,
): Promise<OpenedDump> {
  try {
    await mkdir(coreDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new AppError("core_directory", `cannot make CORE_DIR ${coreDir}`, { cause });
  }
  const file = await PartialFile.create(coreDir, info.uuid);
  try {
    const archive = await openArchive(file, info, settings);
    const note = async (facts: Partial<DumpInfo>) => {
      const noted = { ...info, ...facts, dump_file: firstBase(info, settings) + CORE_SUFFIX };
      await archive.rewriteFirst(formatDumpInfo(noted, FIRST_ENTRY_MAX_BYTES));
    };
    return { file, archive, note };
  } catch (cause) {
    await file.abandon();
    throw new AppError("core_directory", `cannot write to CORE_DIR ${coreDir}`, {
      cause,
      ...(isNoSpace(cause)
        ? { hint: "free space there, or give the cores a disk of their own" }
        : {}),
    });
  }
}

/** Begins the archive in a new file. If the composer is killed from here on, recovery can seal the file. */
export async function openArchive(
  file: ArchiveFile,
  info: DumpInfo,
  settings: Pick<ComposerSettings, "FILENAME_TEMPLATE" | "COMPRESSION">,
): Promise<ZipArchive> {
  const base = firstBase(info, settings);
  const archive = new ZipArchive(file, new Date(Number(info.timestamp) * 1000));
  const first = formatDumpInfo({ ...info, dump_file: base + CORE_SUFFIX }, FIRST_ENTRY_MAX_BYTES);
  await archive.addFirst(base, DUMP_INFO_SUFFIX, first);
  archive.begin(base, CORE_SUFFIX, methodOf(compressionOf(settings.COMPRESSION)));
  await archive.flush();
  return archive;
}

/** The dump's name as far as it can be known at first. */
function firstBase(info: DumpInfo, settings: Pick<ComposerSettings, "FILENAME_TEMPLATE">): string {
  return renderDumpName(settings.FILENAME_TEMPLATE, templateValues(info));
}
