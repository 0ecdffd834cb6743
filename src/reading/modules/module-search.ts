// Finds the files that a crashed process had mapped: below a sysroot, at their paths on this machine, in a folder, in the
// cache, in the store, on debuginfod servers; and says in one line each what is missing or another build. What comes from
// elsewhere is taken only if it is the file that was mapped.
import { unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { describeError } from "../../model/app-error.ts";
import type { ModuleCache } from "./module-cache.ts";
import { matchModule, type Match } from "./module-match.ts";
import type { RemotePlace } from "./remote-modules.ts";
import { idOf, type WantedFile } from "./wanted-modules.ts";

/** Where to look. */
export interface SearchPlaces {
  /** A root folder that has the files at their paths; this machine's own are not looked at then. */
  sysroot: string | undefined;
  /** A folder that has them by name, or by build-id as debuginfod's layout has it. */
  modules: string | undefined;
  cache: ModuleCache;
  remotes: readonly RemotePlace[];
}

/** What became of one file. */
export interface SearchedFile {
  wanted: WantedFile;
  /** A file on this machine that may be loaded; undefined where there is none. */
  path: string | undefined;
  /** Where it was found: "this machine", "the sysroot", "the store"; "" where it was not. */
  source: string;
  /** One line for people; undefined where there is nothing to say about a library. */
  line: string | undefined;
}

/** How many files are looked for at once. */
const AT_ONCE = 6;

/** Finds all files, in the order of `wanted`. */
export async function searchModules(
  wanted: readonly WantedFile[],
  places: SearchPlaces,
): Promise<SearchedFile[]> {
  const found: SearchedFile[] = [];
  let next = 0;
  const worker = async () => {
    while (next < wanted.length) {
      const index = next++;
      const file = wanted[index];
      if (file !== undefined) found[index] = await new ModuleSearch(file, places).run();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found;
}

/** The search for one file. */
class ModuleSearch {
  private readonly wanted: WantedFile;
  private readonly places: SearchPlaces;
  /** Why candidates were refused, as parts of a sentence. */
  private readonly refusals: string[] = [];
  private otherBuild: string | undefined;

  constructor(wanted: WantedFile, places: SearchPlaces) {
    this.wanted = wanted;
    this.places = places;
  }

  async run(): Promise<SearchedFile> {
    return (
      (await this.atHand()) ?? (await this.cached()) ?? (await this.remote()) ?? this.missing()
    );
  }

  /** The person's own files: the same build is enough, stripped otherwise or not. */
  private async atHand(): Promise<SearchedFile | undefined> {
    const { sysroot, modules } = this.places;
    const { path } = this.wanted;
    const id = idOf(this.wanted);
    const candidates: [source: string, path: string][] = [];
    if (modules !== undefined && id !== undefined)
      candidates.push([modules, join(modules, "buildid", id, "executable")]);
    if (modules !== undefined) candidates.push([modules, join(modules, basename(path))]);
    if (sysroot === undefined) candidates.push(["this machine", path]);
    else candidates.push([sysroot, join(sysroot, path)], [sysroot, join(sysroot, "usr", path)]);
    for (const [source, candidate] of candidates) {
      const match = await matchModule(candidate, this.wanted);
      if (match.kind === "same" || match.kind === "same_build" || match.kind === "likely")
        return this.found(candidate, source, match);
      this.refuse(source, match);
    }
    return undefined;
  }

  private async cached(): Promise<SearchedFile | undefined> {
    const id = idOf(this.wanted);
    if (id === undefined) return undefined;
    for (const path of await this.places.cache.find(id, "executable"))
      if (this.isProven(await matchModule(path, this.wanted)))
        return this.found(path, "the cache", { kind: "same" });
    return undefined;
  }

  private async remote(): Promise<SearchedFile | undefined> {
    const { cache, remotes } = this.places;
    const id = idOf(this.wanted);
    if (id === undefined) return undefined;
    for (const place of remotes)
      for await (const { bytes } of place.find(id, "executable", this.wanted.sha256)) {
        const path = await cache.keep(id, "executable", bytes).catch((error: unknown) => {
          this.refusals.push(`${place.name} failed on the way: ${describeError(error)}`);
          return undefined;
        });
        if (path === undefined) continue;
        const match = await matchModule(path, this.wanted);
        if (this.isProven(match)) return this.found(path, place.name, match);
        await unlink(path).catch(() => undefined);
        this.refuse(place.name, match);
      }
    return undefined;
  }

  /** A file from elsewhere must have the content that the dump names, where it names one. */
  private isProven(match: Match): boolean {
    return match.kind === "same" || (match.kind === "same_build" && !match.isOtherContent);
  }

  private refuse(source: string, match: Match): void {
    const here = source === "this machine" || source === this.places.sysroot;
    if (match.kind === "other_build" && here) this.otherBuild ??= match.here;
    else if (match.kind === "other_build")
      this.refusals.push(`the file in ${source} is another build (${match.here})`);
    if (match.kind === "same_build")
      this.refusals.push(
        `the file of ${source} has its build id and other content, so it lies or was changed`,
      );
    if (match.kind === "unusable")
      this.refusals.push(`the file of ${source} is of no use: ${match.why}`);
  }

  private found(path: string, source: string, match: Match): SearchedFile {
    const { wanted, refusals } = this;
    const from = source === "this machine" ? "" : `, from ${source}`;
    const said = [...this.otherBuildNote(), ...refusals];
    let line: string | undefined;
    if (match.kind === "likely")
      line = `${wanted.path} is loaded${from}, but may be another build: the core has no build id`;
    else if (match.kind === "same_build" && match.isOtherContent)
      line = `${wanted.path} is the build that crashed (${wanted.buildId ?? ""})${from}, but not the same file: stripped otherwise?`;
    else if (wanted.isProgram || said.length > 0)
      line = `${wanted.path} is the build that crashed (${wanted.buildId ?? "by its content"})${from}`;
    if (line !== undefined && said.length > 0) line = `${line}; ${said.join("; ")}`;
    return { wanted, path, source, line };
  }

  private otherBuildNote(): string[] {
    return this.otherBuild === undefined
      ? []
      : [`another build is at that path here (build id ${this.otherBuild})`];
  }

  private missing(): SearchedFile {
    const { wanted, refusals, otherBuild } = this;
    const crashed = wanted.buildId ?? "none";
    const first =
      otherBuild === undefined
        ? `${wanted.path} is missing (build id ${crashed}), and nothing is loaded for it`
        : `${wanted.path} is another build than the one that crashed, and is not loaded (build id ${otherBuild}, not ${crashed})`;
    return { wanted, path: undefined, source: "", line: [first, ...refusals].join("; ") };
  }
}
