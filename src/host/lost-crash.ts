// Records a crash whose composer left no last record; the process that started the composer writes it.
import { join } from "node:path";
import { partialName } from "../model/core-file.ts";
import type { CoreSource } from "../model/composer-invocation.ts";
import { isCrashEnd, parseCrashRecord } from "../model/crash-record.ts";
import { COMPOSER_LOG, COMPOSER_LOG_ROTATED } from "../model/host-file.ts";
import { lastLine } from "./bounded-stream.ts";
import { ComposerLog } from "./composer-log.ts";
import { exists, readTextFile } from "./files.ts";

/** What is known about such a crash. */
export interface LostCrash {
  /** The dump's uuid. */
  uuid: string;
  source: CoreSource["kind"];
  /** The process's name, as far as it is known. */
  exe: string;
  hostPid: number | null;
}

/** Twice what a log may grow to before it is rotated. */
const LOG_MAX_BYTES = 4 << 20;
const WORDS_MAX_CHARACTERS = 300;

/** Returns every line of composer.log, the oldest first, including the rotated file's. */
export async function readComposerLines(hostDir: string): Promise<string[]> {
  const texts = [COMPOSER_LOG_ROTATED, COMPOSER_LOG].map((name) =>
    readTextFile(join(hostDir, name), LOG_MAX_BYTES),
  );
  const lines = (await Promise.all(texts)).flatMap((text = "") => text.split("\n"));
  return lines.filter((line) => line !== "");
}

/** Writes a crash's beginning, where `log` has not written it, and its end: nothing of it could be kept. */
export function recordLostCrash(
  log: ComposerLog,
  { source, exe, hostPid }: Omit<LostCrash, "uuid">,
  error: string,
): void {
  if (!log.has("dump_started"))
    log.milestone("info", "dump_started", { source, exe, host_pid: hostPid });
  log.milestone("error", "dump_failed", { error });
}

/**
 * The same for a composer that has ended, of which composer.log may tell the beginning already, or the end: then
 * nothing is written. Neither is it where its dump lies in `coreDir` half done, which the agent seals (recovery) and
 * counts. Returns whether it wrote the end. Never throws: where composer.log cannot be read, twice is better than never.
 */
export async function recordBadEnd(
  hostDir: string,
  coreDir: string,
  crash: LostCrash,
  error: string,
): Promise<boolean> {
  const lines = await readComposerLines(hostDir).catch((): string[] => []);
  const records = lines
    .filter((line) => line.includes(crash.uuid))
    .flatMap((line) => parseCrashRecord(line) ?? [])
    .filter(({ uuid }) => uuid === crash.uuid);
  if (records.some(isCrashEnd)) return false;
  if (await exists(join(coreDir, partialName(crash.uuid))).catch(() => false)) return false;
  const log = new ComposerLog(hostDir, crash.uuid);
  if (records.some(({ event }) => event === "dump_started"))
    log.milestone("error", "dump_failed", { error });
  else recordLostCrash(log, crash, error);
  return true;
}

/** Why a composer ended: its exit code or signal, and the last of what it wrote to stderr. */
export function describeComposerEnd(
  { exitCode, signalCode }: { exitCode: number | null; signalCode: string | number | null },
  stderr: string,
): string {
  const how = signalCode === null ? `with code ${exitCode}` : `by ${signalCode}`;
  const words = lastLine(stderr).slice(0, WORDS_MAX_CHARACTERS);
  return `the composer ended ${how}${words === "" ? "" : `: ${words}`}`;
}
