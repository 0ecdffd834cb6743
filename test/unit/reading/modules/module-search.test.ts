// Where a crash's files are found, and what is said of those that are not: against real programs, a store in a folder and
// a static server.
import { expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { matchModule } from "../../../../src/reading/modules/module-match.ts";
import { openModuleCache } from "../../../../src/reading/modules/module-cache.ts";
import { searchModules, type SearchPlaces } from "../../../../src/reading/modules/module-search.ts";
import {
  debuginfodPlaces,
  storePlace,
  untilItFails,
} from "../../../../src/reading/modules/remote-modules.ts";
import type { WantedFile } from "../../../../src/reading/modules/wanted-modules.ts";
import { moduleKey, rivalKey } from "../../../../src/model/module-id.ts";
import { openDirectoryReader } from "../../../../src/store/directory/directory-reader.ts";
import { temporaryFolder } from "../../../support/dumps.ts";

const sha256 = (path: string) =>
  new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

/** As file(1) would tell it. */
async function buildIdOf(path: string): Promise<string> {
  const match = await matchModule(path, { buildId: "none", sha256: null, picture: undefined });
  return match.kind === "other_build" ? match.here : "";
}

const LS = { sha256: sha256("/bin/ls"), buildId: await buildIdOf("/bin/ls") };

function wantLs(more: Partial<WantedFile> = {}): WantedFile {
  return {
    path: "/opt/shop/bin/ls",
    names: [],
    start: 0x1000n,
    end: 0x2000n,
    isProgram: true,
    picture: undefined,
    stub: Buffer.alloc(0),
    ...LS,
    ...more,
  };
}

interface Stage {
  places: SearchPlaces;
  store: string;
  cache: string;
  put: (key: string, from: string | Uint8Array) => void;
  lineOf: (wanted: WantedFile, more?: Partial<SearchPlaces>) => Promise<string>;
}

function stage(): Stage {
  const [store, cache] = [temporaryFolder(), temporaryFolder()];
  const remotes = [storePlace(openDirectoryReader(store), "m/")];
  const places = { sysroot: undefined, modules: undefined, cache: openModuleCache(cache), remotes };
  return {
    places,
    store,
    cache,
    put(key, from) {
      mkdirSync(dirname(join(store, key)), { recursive: true });
      writeFileSync(join(store, key), typeof from === "string" ? readFileSync(from) : from);
    },
    async lineOf(wanted, more = {}) {
      const [found] = await searchModules([wanted], { ...places, ...more });
      return `${found?.path === undefined ? "missing" : "found"}: ${found?.line ?? ""}`;
    },
  };
}

test("a file of the store is fetched once, dated before the crash, and proven by its content", async () => {
  const { put, lineOf, places, cache } = stage();
  put(moduleKey("m/", LS.buildId), "/bin/ls");
  expect(await lineOf(wantLs())).toBe(
    `found: /opt/shop/bin/ls is the build that crashed (${LS.buildId}), from the store`,
  );
  expect(await lineOf(wantLs(), { remotes: [] })).toContain("from the cache");
  const [found] = await searchModules([wantLs()], places);
  expect(sha256(found?.path ?? "")).toBe(LS.sha256);
  expect(readdirSync(join(cache, LS.buildId))).toEqual([`executable.${LS.sha256}`]);
});

test("a file that lies about its build-id is not taken, and said to lie; the right one beside it is", async () => {
  const { put, lineOf, cache } = stage();
  const lie = readFileSync("/bin/ls");
  lie[lie.length - 1] = (lie[lie.length - 1] ?? 0) ^ 1;
  put(moduleKey("m/", LS.buildId), lie);
  const lies =
    "the file of the store has its build id and other content, so it lies or was changed";
  expect(await lineOf(wantLs())).toBe(
    `missing: /opt/shop/bin/ls is missing (build id ${LS.buildId}), and nothing is loaded for it; ${lies}`,
  );
  expect(readdirSync(join(cache, LS.buildId))).toEqual([]);
  put(rivalKey("m/", { id: LS.buildId, sha256: LS.sha256 }), "/bin/ls");
  expect(await lineOf(wantLs())).toBe(
    `found: /opt/shop/bin/ls is the build that crashed (${LS.buildId}), from the store; ${lies}`,
  );
});

test("another build, a truncated file and a missing one are each said in one line", async () => {
  const { put, lineOf } = stage();
  const sysroot = temporaryFolder();
  mkdirSync(join(sysroot, "opt/shop/bin"), { recursive: true });
  copyFileSync("/bin/cat", join(sysroot, "opt/shop/bin/ls"));
  expect(await lineOf(wantLs(), { sysroot })).toBe(
    `missing: /opt/shop/bin/ls is another build than the one that crashed, and is not loaded (build id ${await buildIdOf("/bin/cat")}, not ${LS.buildId})`,
  );
  const cut = join(temporaryFolder(), "cut");
  copyFileSync("/bin/ls", cut);
  truncateSync(cut, 20_000);
  put(moduleKey("m/", LS.buildId), cut);
  expect(await lineOf(wantLs())).toContain(
    "the file of the store is of no use: it is shorter than its own headers say",
  );
  const unknown = wantLs({ buildId: "ab".repeat(20), sha256: null, isProgram: false });
  expect(await lineOf(unknown)).toBe(
    `missing: /opt/shop/bin/ls is missing (build id ${"ab".repeat(20)}), and nothing is loaded for it`,
  );
});

test("a person's own file of the same build may be stripped otherwise, which is said", async () => {
  const { lineOf } = stage();
  const sysroot = temporaryFolder();
  mkdirSync(join(sysroot, "opt/shop/bin"), { recursive: true });
  writeFileSync(
    join(sysroot, "opt/shop/bin/ls"),
    Buffer.concat([readFileSync("/bin/ls"), Buffer.alloc(1)]),
  );
  expect(await lineOf(wantLs(), { sysroot })).toContain("not the same file: stripped otherwise?");
});

test("a file without a build-id is found by its content", async () => {
  const { put, lineOf } = stage();
  put(moduleKey("m/", LS.sha256), "/bin/ls");
  expect(await lineOf(wantLs({ buildId: null }))).toContain("from the store");
});

test("servers of DEBUGINFOD_URLS are asked last; one that fails is said once and not asked again", async () => {
  const { lineOf, places } = stage();
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch({ url }) {
      const { pathname } = new URL(url);
      asked.push(pathname);
      if (pathname.startsWith("/broken")) return new Response(null, { status: 500 });
      return pathname === `/buildid/${LS.buildId}/executable`
        ? new Response(readFileSync("/bin/ls"))
        : new Response(null, { status: 404 });
    },
  });
  const base = `http://127.0.0.1:${server.port}`;
  const said: string[] = [];
  const remotes = [...places.remotes, ...debuginfodPlaces(`${base}/broken ${base}/`)].map((place) =>
    untilItFails(place, (line) => said.push(line)),
  );
  expect(await lineOf(wantLs(), { remotes })).toContain(`from ${base}`);
  await lineOf(wantLs({ buildId: "ab".repeat(20) }), { remotes });
  expect(said).toEqual([`${base} cannot be asked for modules: it answers 500`]);
  expect(asked.filter((path) => path.startsWith("/broken"))).toHaveLength(1);
  await server.stop(true);
});
