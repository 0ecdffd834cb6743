// How a kept module (an ELF program or library that a crashed process had mapped) is named: by its build-id, or by its
// content where it has none; in the store by debuginfod's layout. Anybody can give a file any build-id, so the content's
// digest stands beside it everywhere.

/** What identifies a module. */
export interface ModuleIdentity {
  /** The build-id in hex, or the SHA-256 of a file that has none. */
  id: string;
  /** The SHA-256 of the file, in hex. */
  sha256: string;
}

/** Build-ids have 8, 16 or 20 bytes; a longer one than a SHA-256 could not stand in a file's name beside it. */
const BUILD_ID = /^(?:[0-9a-f]{2}){4,32}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Returns whether a text is a build-id that a module can be kept by. */
export function isModuleId(text: string): boolean {
  return BUILD_ID.test(text);
}

/** Returns whether a text is a SHA-256 in hex. */
export function isSha256(text: string): boolean {
  return SHA256.test(text);
}

/** Returns the id of a file: its build-id where it has a usable one. */
export function moduleIdOf(buildId: string | null, sha256: string): string {
  return buildId !== null && isModuleId(buildId) ? buildId : sha256;
}

/** The kinds of file that debuginfod serves by build-id. */
export const ARTIFACTS = ["executable", "debuginfo"] as const;
/** One of ARTIFACTS. */
export type Artifact = (typeof ARTIFACTS)[number];

/** Returns the store's key of a file; `prefix` is empty or ends in a slash. */
export function moduleKey(prefix: string, id: string, artifact: Artifact = "executable"): string {
  return `${prefix}buildid/${id}/${artifact}`;
}

/**
 * Returns the key of a module whose usual key has another file of the same build-id. Only readers that know the digest
 * ask for it.
 */
export function rivalKey(prefix: string, { id, sha256 }: ModuleIdentity): string {
  return `${moduleKey(prefix, id)}.${sha256}`;
}

const KEY = /(?:^|\/)buildid\/([0-9a-f]+)\/(executable|debuginfo)(?:\.([0-9a-f]{64}))?$/;

/** Parses a key of either form; undefined for any other. */
export function parseModuleKey(
  key: string,
): { id: string; artifact: Artifact; rival: string | undefined } | undefined {
  const [, id = "", artifact, rival] = KEY.exec(key) ?? [];
  if (!isModuleId(id) || (artifact !== "executable" && artifact !== "debuginfo")) return undefined;
  return { id, artifact, rival };
}

/** The folder in CORE_DIR where modules wait for the agent. */
export const MODULES_FOLDER = "modules";
const KEPT = /^([0-9a-f]+)\.([0-9a-f]{64})(\.stored)?$/;

/** Returns the name of a module's file in that folder. */
export function keptName({ id, sha256 }: ModuleIdentity): string {
  return `${id}.${sha256}`;
}

/** Returns the name of the mark that a module's file leaves when the store has it. */
export function storedName(identity: ModuleIdentity): string {
  return `${keptName(identity)}.stored`;
}

/** Parses either name; undefined for any other file. */
export function parseKeptName(name: string): (ModuleIdentity & { isStored: boolean }) | undefined {
  const [, id = "", sha256 = "", mark] = KEPT.exec(name) ?? [];
  return isModuleId(id) ? { id, sha256, isStored: mark !== undefined } : undefined;
}
