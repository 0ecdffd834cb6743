// What the crashing process calls itself reaches the composer as an argument, the file's name, the
// records and the log. It must stay what it is there: a text.
import { expect } from "bun:test";
import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import { portableFileName } from "../../../src/model/portable-name.ts";
import { buildCrashProgram, compilerObstacle, runCrash } from "../../support/crash-program.ts";
import { checkDump } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { withComposer, type InstalledComposer } from "../../support/installed-composer.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [kernelObstacle(), compilerObstacle(), readersObstacle()];

/** At most 15 bytes each: the kernel keeps no more. */
const NAMES = [
  "../../x",
  "a\nb\r\tc",
  `"q'\`\\`,
  "-d=/etc",
  "x -d=/etc -T=0",
  "{uuid}{{podname}}".slice(0, 15),
  "%s%n%p",
  "\u202egpj.exe",
  "\u001b[2J",
  "日本語",
  " ",
  ".hidden",
  "$(reboot)",
  "wrk:worker_0",
  'a*?"<>|\\',
  "con.",
];

gatedTest("no name leaves CORE_DIR, the JSON or its log line", obstacles, async () => {
  await withComposer({}, async (composer) => {
    const before = await everythingBut(composer);
    const seen = new Set<string>();
    for (const name of NAMES) {
      await runCrash("renamed", [name]);
      const fresh = (await composer.zips(seen.size + 1)).filter((zip) => !seen.has(zip));
      expect(fresh).toHaveLength(1);
      for (const zip of fresh) {
        seen.add(zip);
        // A name that any share can hold stays as it is.
        expect(portableFileName(basename(zip))).toBe(basename(zip));
        const { info } = await checkDump(zip);
        expect(info).toMatchObject({ exe: name.replaceAll("/", "!"), signal: "6" });
        // The kernel's own reading of %e, which the name cannot displace.
        expect(info["core_complete"]).toBe(true);
      }
    }
    const log = await composer.log();
    const named = log.filter(({ event }) => event === "dump_started").map(({ exe }) => exe);
    expect(named).toEqual(NAMES.map((name) => name.replaceAll("/", "!")));
    expect(await everythingBut(composer)).toEqual([...before, "composer.log"].toSorted());
  });
});

gatedTest("a name that is no UTF-8 is kept apart from all others", obstacles, async () => {
  await withComposer({}, async (composer) => {
    const script = `exec "$0" "$(printf 'a\\377\\376b')"`;
    const program = await buildCrashProgram("renamed");
    const child = Bun.spawn(["sh", "-c", script, program], { timeout: 60_000 });
    await child.exited;
    const [zip = "none"] = await composer.zips(1);
    const { info } = await checkDump(zip);
    expect(info["exe"]).toMatch(/^a.+b$/);
  });
});

/** What lies in the test's folder beside the cores. */
async function everythingBut({ hostDir, coreDir }: InstalledComposer): Promise<string[]> {
  const names = await readdir(hostDir);
  return names.filter((name) => name !== basename(coreDir)).toSorted();
}
