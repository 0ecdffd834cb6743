// The store as a debuginfod: elfutils' client and gdb, as they are, against the plain layout over a static server, and
// against the server that `debug` starts for a private store.
import { expect } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serveModules } from "../../../src/reading/modules/debuginfod-server.ts";
import { openDirectoryReader } from "../../../src/store/directory/directory-reader.ts";
import { compilerObstacle } from "../../support/crash-program.ts";
import { temporaryFolder } from "../../support/dumps.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { buildOwnProgram } from "../../support/own-program.ts";

const MAIN = join(import.meta.dir, "../../../src/main.ts");
const obstacles = [
  compilerObstacle(),
  ...["gdb", "objcopy", "readelf", "debuginfod-find"].map(missingProgram),
];

interface Stage {
  store: string;
  program: string;
  debug: string;
  /** Runs a command that asks this server; what it said. */
  ask: (server: string, ...command: string[]) => Promise<string>;
}

async function stage(): Promise<Stage> {
  const [store, folder] = [temporaryFolder(), temporaryFolder()];
  const { program, debugFiles } = await buildOwnProgram(folder, { splits: true });
  const environment = { PATH: process.env["PATH"], HOME: folder };
  const run = async (env: Record<string, string | undefined>, command: string[]) => {
    const child = Bun.spawn(command, { env, stdio: ["ignore", "pipe", "ignore"] });
    return (await child.stdout.text()).trim();
  };
  const added = { ...environment, STORE_URL: `file://${store}`, STORE_MODULE_PREFIX: "debug" };
  await run(added, [process.execPath, MAIN, "modules", "add", program, ...debugFiles]);
  let caches = 0;
  return {
    store,
    program,
    debug: debugFiles[0] ?? "",
    ask: (server, ...command) => {
      const cache = join(folder, `cache-${caches++}`);
      mkdirSync(cache);
      return run(
        { ...environment, DEBUGINFOD_URLS: server, DEBUGINFOD_CACHE_PATH: cache },
        command,
      );
    },
  };
}

async function check({ program, debug, ask }: Stage, server: string): Promise<void> {
  const executable = await ask(server, "debuginfod-find", "executable", program);
  expect(readFileSync(executable).equals(readFileSync(program))).toBe(true);
  const debuginfo = await ask(server, "debuginfod-find", "debuginfo", program);
  expect(readFileSync(debuginfo).equals(readFileSync(debug))).toBe(true);
  const orders = ["-iex", "set debuginfod enabled on", "-ex", "info line main"];
  const said = await ask(server, "gdb", "-nx", "-batch", ...orders, program);
  expect(said).toMatch(/Line \d+ of ".*app\.c" starts at address .*<main>/);
}

gatedTest(
  "debuginfod-find and gdb take the plain layout off a static server",
  obstacles,
  async () => {
    const staged = await stage();
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch({ url }) {
        const file = Bun.file(join(staged.store, "debug", new URL(url).pathname));
        return (await file.exists()) ? new Response(file) : new Response(null, { status: 404 });
      },
    });
    await check(staged, `http://127.0.0.1:${server.port}`).finally(() => server.stop(true));
  },
);

gatedTest(
  "a private store answers them through our server, below its secret alone",
  obstacles,
  async () => {
    const staged = await stage();
    const server = serveModules(openDirectoryReader(staged.store), "debug/", new Set());
    try {
      await check(staged, server.url);
      const { origin } = new URL(server.url);
      expect(await staged.ask(origin, "debuginfod-find", "executable", staged.program)).toBe("");
    } finally {
      await server.stop();
    }
  },
);
