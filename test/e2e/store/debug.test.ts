// `debug`, `modules` and `explain --update` with a private bucket and nothing else: the program, its library and their
// debug files come out of the store, on a real S3 server.
import { expect } from "bun:test";
import { readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { parseCrashSummary } from "../../../src/model/crash-summary-json.ts";
import { makeBucket } from "../../support/bucket.ts";
import { compilerObstacle } from "../../support/crash-program.ts";
import { temporaryFolder } from "../../support/dumps.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { coreOf } from "../../support/gcore.ts";
import { buildOwnProgram } from "../../support/own-program.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { bucketVariables } from "../../support/store-settings.ts";

const MAIN = join(import.meta.dir, "../../../src/main.ts");
const obstacles = [
  s3Obstacle(),
  compilerObstacle(),
  missingProgram("gdb"),
  missingProgram("objcopy"),
];

gatedTest(
  "a dump in a private bucket is debugged and explained with modules out of it",
  obstacles,
  async () => {
    const bucket = await makeBucket();
    const [folder, build] = [temporaryFolder(), join(temporaryFolder(), "build")];
    const { program } = await buildOwnProgram(build, { splits: true });
    const core = join(folder, "core");
    await coreOf(program, core, ["signal"]);
    const info = Buffer.from(JSON.stringify({ uuid: "u", namespace: "shop", exe_path: program }));
    const zip = zipSync({ "T-dump-info.json": info, "T.core": readFileSync(core) }, { level: 1 });
    await bucket.put("dumps/T.zip", zip);
    const environment = {
      ...bucketVariables(bucket, { STORE_MODULE_PREFIX: "debug", HOME: folder, TMPDIR: folder }),
      PATH: process.env["PATH"],
    };
    const run = async (...args: string[]) => {
      const child = Bun.spawn([process.execPath, MAIN, ...args], {
        env: environment,
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const [said, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      return said + errors;
    };
    await run("modules", "add", join(build, "bin"), join(build, "lib"));
    renameSync(build, `${build}-gone`);
    const orders = ["--", "-batch", "-ex", "info sharedlibrary", "-ex", "bt"];
    const without = await run("debug", "dumps/T.zip", ...orders);
    expect(without).toContain("app is the build that crashed");
    expect(without).toContain("from the store");
    expect(without).toMatch(/Yes.*libgreet/);
    expect(without).not.toContain("app.c:");
    await run("modules", "add", `${build}-gone/debug`);
    expect(await run("debug", "--namespace", "shop", ...orders)).toMatch(/ main .*app\.c:\d+/);
    const listed = await run("modules", "dumps/T.zip", "--output", join(folder, "taken"));
    expect(listed).toMatch(/^the cache +yes +[0-9a-f]{40} +.*\/bin\/app$/m);
    expect(readdirSync(join(folder, "taken")).sort()).toEqual(["debug", "libraries", "sysroot"]);
    await run("fetch", "dumps/T.zip");
    expect(await run("explain", "T.zip", "--update")).toContain(
      "the new summary is T-summary.json",
    );
    const summary = parseCrashSummary(
      JSON.parse(readFileSync(join(folder, "T-summary.json"), "utf8")),
    );
    const functions = summary?.crashing_thread?.frames.map((frame) => frame.function);
    expect(functions).toContain("main");
    // Nothing is left of the sessions but what a person asked for.
    expect(readdirSync(folder).filter((name) => name.startsWith("core-dump-handler-"))).toEqual([]);
    rmSync(`${build}-gone`, { recursive: true });
  },
  120_000,
);
