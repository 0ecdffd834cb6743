// `debug` with a real gdb: the program is loaded when it is the one that crashed, and nothing that lies about is run.
import { expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { commandOf } from "../../../src/reading/debugger.ts";
import { temporaryFolder } from "../../support/dumps.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { buildWaiting, coreOf, GCORE_PROGRAMS } from "../../support/gcore.ts";

const MAIN = join(import.meta.dir, "../../../src/main.ts");
const obstacles = GCORE_PROGRAMS.map(missingProgram);

interface Stage {
  folder: string;
  program: string;
  /** Runs `debug` in the folder; what it said. */
  debug: () => string;
}

/** A program and its core, by the linker's flag: which folder a copy of it lies in makes no other build of it. */
const made = new Map<string, Promise<{ program: string; core: string }>>();

function makeOnce(ldFlag: string): Promise<{ program: string; core: string }> {
  const make = async () => {
    const folder = temporaryFolder();
    const program = buildWaiting(folder, "first", ldFlag);
    const core = join(folder, "core");
    await coreOf(program, core);
    return { program, core };
  };
  const making = made.get(ldFlag) ?? make();
  made.set(ldFlag, making);
  return making;
}

async function stage(exePath: string | null = null, ldFlag?: string): Promise<Stage> {
  const folder = temporaryFolder();
  const sample = await makeOnce(ldFlag ?? "-Wl,--build-id");
  const program = join(folder, "app");
  copyFileSync(sample.program, program);
  const info = Buffer.from(JSON.stringify({ uuid: "u", exe_path: exePath ?? program }));
  const entries = { "T-dump-info.json": info, "T.core": readFileSync(sample.core) };
  writeFileSync(join(folder, "T.zip"), zipSync(entries, { level: 1 }));
  const debug = () => {
    const args = ["debug", "T.zip", "--", "-batch", "-ex", "info files"];
    const { stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, ...args], {
      cwd: folder,
      env: { ...process.env, HOME: folder },
      stdin: "ignore",
    });
    return stdout.toString() + stderr.toString();
  };
  return { folder, program, debug };
}

gatedTest("the build that crashed is loaded", obstacles, async () => {
  const { program, debug } = await stage();
  const said = debug();
  expect(said).toContain(`${program} is the build that crashed`);
  expect(said).toContain("Symbols from");
});

gatedTest(
  "another build at the same path is said to be so, and is not loaded",
  obstacles,
  async () => {
    const { folder, program, debug } = await stage();
    buildWaiting(folder, "second, and longer");
    const said = debug();
    expect(said).toMatch(
      new RegExp(`^core-dump-handler: ${program} is another build .*not loaded .*$`, "m"),
    );
    expect(said).not.toContain("Symbols from");
  },
);

gatedTest(
  "where neither can tell, the program is loaded with a word of warning",
  obstacles,
  async () => {
    const { program, debug } = await stage(null, "-Wl,--build-id=none");
    const said = debug();
    expect(said).toContain(
      `${program} is loaded, but may be another build: the core has no build id`,
    );
    expect(said).toContain("Symbols from");
  },
);

gatedTest(
  "a program's name that is an option names nothing: the core's own is used",
  obstacles,
  async () => {
    const { folder, debug } = await stage("-ex=shell touch pwned");
    expect(debug()).toContain("is the build that crashed");
    expect(existsSync(join(folder, "pwned"))).toBe(false);
  },
);

gatedTest(
  "no script of the working directory, nor one beside the program, is run",
  obstacles,
  async () => {
    const { folder, program, debug } = await stage();
    mkdirSync(join(folder, ".config/gdb"), { recursive: true });
    // Even where the user's own settings trust the folder.
    writeFileSync(join(folder, ".config/gdb/gdbearlyinit"), "set startup-quietly on\n");
    writeFileSync(join(folder, ".config/gdb/gdbinit"), "add-auto-load-safe-path /\n");
    writeFileSync(join(folder, ".gdbinit"), "shell touch init-ran\n");
    writeFileSync(`${program}-gdb.gdb`, "shell touch script-ran\n");
    const said = debug();
    expect(said).toContain("Symbols from");
    expect(existsSync(join(folder, "init-ran"))).toBe(false);
    expect(existsSync(join(folder, "script-ran"))).toBe(false);
  },
);

gatedTest("a debugger that is told to end leaves no core behind", obstacles, async () => {
  const { folder } = await stage();
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const command = ["debug", "T.zip", "--", "-ex", "echo ready\\n"];
  const child = Bun.spawn([process.execPath, MAIN, ...command], {
    cwd: folder,
    env: { ...process.env, HOME: folder, TMPDIR: temporary },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const said = new TextDecoder();
  let text = "";
  for await (const chunk of child.stdout) {
    text += said.decode(chunk, { stream: true });
    if (text.includes("ready")) break;
  }
  expect(readdirSync(temporary)).toHaveLength(1);
  child.kill("SIGTERM");
  await child.exited;
  expect(readdirSync(temporary)).toEqual([]);
});

test("lldb gets the same: no scripts, the program by its option, the user's words later", () => {
  const session = {
    core: "/c",
    program: "/app",
    layout: undefined,
    ownDebug: undefined,
    asksServers: false,
  };
  const command = commandOf({ name: "lldb", path: "/usr/bin/lldb" }, session, ["-b"]);
  expect(command.at(0)).toBe("/usr/bin/lldb");
  expect(command.slice(1, 4)).toEqual([
    "--no-lldbinit",
    "--one-line-before-file",
    "settings set target.load-script-from-symbol-file false",
  ]);
  expect(command.slice(-5)).toEqual(["-b", "--core", "/c", "--file", "/app"]);
});
