// Installs the directories and files below HOST_DIR: the composer's executable, its `.env`, and crictl where it is
// wanted.
import { rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { COMPOSER_NAME } from "../../model/core-pattern.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { formatEnvFile } from "../../model/env-file.ts";
import { ensureDirectory, removeEmptyDirectory } from "../../host/directories.ts";
import { SHARED_MODE, shareWithGroup } from "../../host/shared-folder.ts";
import {
  copyFileAtomically,
  exists,
  readTextFile,
  removeFile,
  sameContent,
  writeFileAtomically,
} from "../../host/files.ts";
import type { ComposerFiles } from "./executables.ts";
import type { Rollback } from "./rollback.ts";
import { LIBRARY_FOLDER } from "./self-contained.ts";

/** The executable's mode; only the kernel starts it, as root. */
const EXECUTABLE_MODE = 0o700;

/** Makes HOST_DIR, CORE_DIR and, where events are on, EVENT_DIR. Returns the directories that did not exist before, parents first. */
export async function installDirectories(
  settings: AgentSettings,
  composer: ComposerFiles | undefined,
  rollback: Rollback,
): Promise<string[]> {
  const made: string[] = [];
  // Cores hold the memory of other users' processes, so only root may look into CORE_DIR, and whom the owner chooses.
  for (const [directory, mode] of [
    [settings.HOST_DIR, 0o755],
    [settings.CORE_DIR, 0o700],
    // A pod without events has no mount where it could be made.
    ...(settings.composer.CORE_EVENTS ? [[settings.EVENT_DIR, 0o755] as const] : []),
    ...(hasLibraries(composer) ? [[join(settings.HOST_DIR, LIBRARY_FOLDER), 0o755] as const] : []),
  ] as const) {
    const group = groupOf(directory, settings);
    for (const missing of await makeFolders(directory, group === null ? mode : SHARED_MODE)) {
      made.push(missing);
      rollback.add(`directory ${missing}`, () => removeEmptyDirectory(missing));
    }
    if (group !== null) await shareWithGroup(directory, group);
  }
  return made;
}

/** Returns the group that shares a directory with root; null for none. */
function groupOf(directory: string, settings: AgentSettings): number | null {
  const isShared = [settings.CORE_DIR, settings.EVENT_DIR].includes(directory);
  return isShared ? settings.CORE_GROUP : null;
}

function hasLibraries(composer: ComposerFiles | undefined): boolean {
  return composer !== undefined && composer.libraries.length > 0;
}

/** Makes a directory with its mode, and its parents. Returns those that did not exist before, parents first. */
export async function makeFolders(directory: string, mode: number): Promise<string[]> {
  const missing = await missingDirectories(directory);
  await ensureDirectory(directory, mode);
  return missing;
}

async function missingDirectories(directory: string): Promise<string[]> {
  if (await exists(directory)) return [];
  return [...(await missingDirectories(dirname(directory))), directory];
}

/** The programs that an install puts on the host. */
export interface HostPrograms {
  /** undefined where the kernel starts no program. */
  composer: ComposerFiles | undefined;
  /** The image's crictl; undefined where none is deployed. */
  crictl: string | undefined;
}

/** Returns the names in HOST_DIR that installFiles writes. */
export function planFiles(settings: AgentSettings, { composer, crictl }: HostPrograms): string[] {
  const program =
    composer === undefined
      ? []
      : [COMPOSER_NAME, ...composer.libraries.map((path) => join(LIBRARY_FOLDER, basename(path)))];
  return [
    ...program,
    ".env",
    ...(settings.DEPLOY_CRIO_CONFIG ? ["crictl.yaml"] : []),
    ...(crictl === undefined ? [] : ["crictl"]),
  ];
}

/** Returns whether a file belongs to the program that the kernel starts, which only a pipe needs. */
export function isProgramFile(name: string): boolean {
  return name === COMPOSER_NAME || name.startsWith(`${LIBRARY_FOLDER}/`);
}

/** Writes everything that the composer needs. Without `composer` it writes no program that the kernel could start. */
export async function installFiles(
  settings: AgentSettings,
  { composer, crictl }: HostPrograms,
  rollback: Rollback,
): Promise<void> {
  const { HOST_DIR } = settings;
  // Copies the libraries before the executable that needs them.
  for (const library of composer?.libraries ?? [])
    await installExecutable(
      { source: library, patches: [] },
      join(HOST_DIR, LIBRARY_FOLDER, basename(library)),
      rollback,
    );
  if (composer !== undefined)
    await installExecutable(composer, join(HOST_DIR, COMPOSER_NAME), rollback);
  await installText(join(HOST_DIR, ".env"), formatEnvFile(settings.composer), rollback);
  if (settings.DEPLOY_CRIO_CONFIG)
    await installText(
      join(HOST_DIR, "crictl.yaml"),
      crictlConfig(settings.CRIO_ENDPOINT),
      rollback,
    );
  if (crictl !== undefined)
    await installExecutable({ source: crictl, patches: [] }, join(HOST_DIR, "crictl"), rollback);
}

/** Writes crictl's configuration: one socket for containers and images. */
function crictlConfig(endpoint: string): string {
  const quoted = JSON.stringify(endpoint);
  return `runtime-endpoint: ${quoted}\nimage-endpoint: ${quoted}\ntimeout: 2\ndebug: false\n`;
}

async function installExecutable(
  { source, patches }: Pick<ComposerFiles, "source" | "patches">,
  target: string,
  rollback: Rollback,
) {
  // Does not write 100 MB again at every start of a pod if they have not changed.
  if (
    (await sameContent(source, target, patches)) &&
    ((await stat(target)).mode & 0o777) === EXECUTABLE_MODE
  )
    return;
  const wasThere = await exists(target);
  await copyFileAtomically(source, target, EXECUTABLE_MODE, patches);
  if (!wasThere) rollback.add(target, async () => rm(target, { force: true }));
}

async function installText(target: string, text: string, rollback: Rollback) {
  const before = await readTextFile(target);
  if (before === text) return;
  await writeFileAtomically(target, text);
  rollback.add(target, () =>
    before === undefined ? removeFile(target) : writeFileAtomically(target, before),
  );
}
