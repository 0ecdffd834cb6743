// What `keep-modules` makes of files that a process could have mapped: real ones, lying ones, ones that never answer.
import { expect, test } from "bun:test";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AttemptLog } from "../../../../src/composer/attempt.ts";
import { ModuleKeeping } from "../../../../src/composer/modules/module-keeping.ts";
import { listKeptModules, modulesFolder } from "../../../../src/host/kept-modules.ts";
import type { ListedModule } from "../../../../src/model/module-list.ts";
import { temporaryFolder } from "../../../support/dumps.ts";
import { eventually } from "../../../support/eventually.ts";

const MAIN = join(import.meta.dir, "../../../../src/main.ts");
const O_PATH = 0x200000;
const NOBODY_STOPS = new Promise<void>(() => undefined);
const OWNER = { namespace: "shop", workload: "w" };

interface Stage {
  coreDir: string;
  attempts: AttemptLog;
  /** What is listed of these files, and left out; keeps them when told. */
  keep: (files: readonly string[], isPublished?: boolean) => Promise<ListedModule[]>;
  log: () => string;
}

function stage(limits: { maxBytes?: number; quota?: string; timeoutMs?: number } = {}): Stage {
  const hostDir = temporaryFolder();
  const coreDir = join(hostDir, "cores");
  mkdirSync(coreDir);
  const attempts = new AttemptLog();
  return {
    coreDir,
    attempts,
    async keep(files, isPublished = true) {
      const keeping = new ModuleKeeping({
        order: {
          coreDir,
          hostDir,
          uuid: "u",
          quota: limits.quota ?? "100%",
          free: "0",
          reserveBytes: 0,
          maxBytes: limits.maxBytes ?? 512 << 20,
        },
        takesLibraries: true,
        timeoutMs: limits.timeoutMs ?? 60_000,
        attempts,
        command: [process.execPath, MAIN, "keep-modules"],
      });
      const descriptors = files.map((file) => openSync(file, O_PATH));
      const modules = files.map((_, index) => ({ start: `${index}000`, end: `${index}fff` }));
      keeping.start({ modules, paths: [...files], descriptors, program: undefined });
      for (const fd of descriptors) closeSync(fd);
      const listed = await keeping.listed(NOBODY_STOPS);
      if (isPublished) keeping.keep(OWNER);
      else keeping.abandon();
      return listed;
    },
    log() {
      const path = join(hostDir, "composer.log");
      return existsSync(path) ? readFileSync(path, "utf8") : "";
    },
  };
}

const sha256 = (path: string) =>
  new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

test("programs and libraries are listed by build-id and content, other files are not", async () => {
  const { keep, coreDir } = stage();
  const text = join(temporaryFolder(), "text");
  writeFileSync(text, "no program");
  const listed = await keep(["/bin/ls", text, "/bin/cat"]);
  expect(listed.map(({ path, sha256: digest, left_out }) => [path, digest, left_out])).toEqual([
    ["/bin/ls", sha256("/bin/ls"), null],
    ["/bin/cat", sha256("/bin/cat"), null],
  ]);
  expect(listed[0]?.id).toBe(listed[0]?.build_id ?? "none");
  await eventually(() => listKeptModules(coreDir).length === 2);
  for (const { path, sha256: digest, namespace } of listKeptModules(coreDir)) {
    expect(sha256(path)).toBe(digest);
    expect(namespace).toBe("shop");
  }
});

test("nothing is copied of a dump that is left out", async () => {
  const { keep, coreDir } = stage();
  await keep(["/bin/ls"], false);
  await keep(["/bin/cat"]);
  await eventually(() => listKeptModules(coreDir).length > 0);
  expect(listKeptModules(coreDir).map(({ sha256: digest }) => digest)).toEqual([
    sha256("/bin/cat"),
  ]);
});

test("a module larger than the limit is listed with its build-id, and said to be left out", async () => {
  const { keep, attempts, coreDir } = stage({ maxBytes: 1 << 20 });
  const large = join(temporaryFolder(), "large");
  copyFileSync("/bin/ls", large);
  truncateSync(large, 600 << 20);
  const [listed] = await keep([large]);
  expect(listed).toMatchObject({ sha256: null, size_bytes: 600 << 20 });
  expect(listed?.id).toMatch(/^[0-9a-f]{40}$/);
  const why = `${large}: it has ${600 << 20} bytes, more than COMP_MODULE_MAX_SIZE`;
  expect(attempts.missing).toEqual([{ what: "modules", why }]);
  expect(listKeptModules(coreDir)).toEqual([]);
});

test("a truncated module is said to be one, and not kept", async () => {
  const { keep, attempts } = stage();
  const cut = join(temporaryFolder(), "cut");
  writeFileSync(cut, readFileSync("/bin/ls").subarray(0, 5000));
  await keep([cut]);
  const why = `${cut}: it is shorter than its own headers say`;
  expect(attempts.missing).toEqual([{ what: "modules", why }]);
});

test("a FIFO is no module, and nobody waits for it", async () => {
  const { keep, coreDir } = stage();
  const fifo = join(temporaryFolder(), "fifo");
  Bun.spawnSync(["mkfifo", fifo]);
  expect((await keep([fifo, "/bin/ls"])).map(({ path }) => path)).toEqual(["/bin/ls"]);
  await eventually(() => listKeptModules(coreDir).length === 1);
});

test("without room nothing is copied, and one line says so", async () => {
  const { keep, log, coreDir } = stage({ quota: "1000" });
  const [listed] = await keep(["/bin/ls"]);
  expect(listed?.left_out).toBeNull();
  const lines = () =>
    log()
      .split("\n")
      .filter((line) => line.includes("modules_left_out"));
  await eventually(() => lines().length > 0);
  expect(lines()).toHaveLength(1);
  expect(lines()[0]).toContain("CORE_DIR has no room for it");
  expect(listKeptModules(coreDir)).toEqual([]);
});

test("two files with one build-id are both kept, by their contents", async () => {
  const { keep, coreDir } = stage();
  const liar = join(temporaryFolder(), "liar");
  const bytes = readFileSync("/bin/ls");
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  writeFileSync(liar, bytes);
  await keep([liar, "/bin/ls"]);
  await eventually(() => listKeptModules(coreDir).length === 2);
  const kept = listKeptModules(coreDir);
  expect(new Set(kept.map(({ id }) => id)).size).toBe(1);
  expect(kept.map(({ sha256: digest }) => digest).sort()).toEqual(
    [sha256(liar), sha256("/bin/ls")].sort(),
  );
});

test("what is known is not copied again", async () => {
  const { keep, coreDir, log } = stage();
  await keep(["/bin/ls"]);
  await eventually(() => listKeptModules(coreDir).length === 1);
  const [first] = listKeptModules(coreDir);
  await keep(["/bin/ls", "/bin/cat"]);
  await eventually(() => listKeptModules(coreDir).length === 2);
  await eventually(() => log().split("modules_kept").length === 3);
  expect(listKeptModules(coreDir)[0]?.modifiedMs).toBe(first?.modifiedMs ?? 0);
  expect(modulesFolder(coreDir)).toBe(join(coreDir, "modules"));
});
