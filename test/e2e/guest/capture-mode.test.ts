// CAPTURE_MODE=auto under another kernel than this machine's (CDH_GUEST_KERNEL names it): a pipe where the kernel may
// start our program, else its coredump socket (Linux 6.16 and later), or files, which the agent collects.
import { expect } from "bun:test";
import { join } from "node:path";
import { FILE_PATTERN } from "../../../src/model/core-file-pattern.ts";
import { gatedTest } from "../../support/gate.ts";
import { bootGuest, guestObstacle, makeGuestRoot } from "../../support/guest.ts";
import { ARM64_GUEST, X64_GUEST } from "../../support/guest-machine.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const INIT = join(import.meta.dir, "../../fixtures/guest/capture-init.sh");

/** By the guest's uname -r. */
function modeAfterPipe(release: string) {
  const [major = 0, minor = 0] = release.split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 16)
    ? { mode: "socket", pattern: "@@/locked/h/cdc.sock", tried: "" }
    : { mode: "file", pattern: FILE_PATTERN, tried: "socket: this kernel has no coredump socket" };
}

for (const machine of [X64_GUEST, ARM64_GUEST])
  gatedTest(
    `a kernel of its own (${machine.name}) chooses a pipe, and socket or files where HOST_DIR allows no execution`,
    [guestObstacle(machine)],
    () =>
      withFolder(async (folder) => {
        const said = await bootGuest(
          folder,
          await makeGuestRoot(folder, INIT, "program", machine),
          machine,
        );
        const [, release = "it did not end"] = /^GUEST-DONE (.*)$/m.exec(said) ?? [];
        expect(release).toMatch(/^\d/);
        const next = modeAfterPipe(release);
        const events = said.split("\n").flatMap((line): Record<string, unknown>[] => {
          try {
            return line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line)] : [];
          } catch {
            return []; // the kernel's own line in the middle of ours
          }
        });
        const chosen = events.filter(({ event }) => event === "capture_mode");
        expect(chosen).toMatchObject([
          { level: "info", mode: "pipe", tried: "" },
          { level: "info", mode: next.mode },
        ]);
        expect(chosen[1]?.["tried"]).toMatch(/^pipe: .* mounted noexec /);
        expect(chosen[1]?.["tried"]).toContain(next.tried);
        expect(said).toMatch(/^PATTERN-OPEN \|\/open\/cdc /m);
        expect(said).toContain(`PATTERN-LOCKED ${next.pattern}\n`);
        const info = JSON.parse(/^DUMP-INFO (\{.*\})$/m.exec(said)?.[1] ?? "{}");
        expect(info).toMatchObject({ exe: "sh", signal: "11", core_complete: true });
        const report = JSON.parse(/^\{$[\s\S]*?^\}$/m.exec(said)?.[0] ?? "{}");
        const failed = report.checks?.filter(
          ({ status }: { status: string }) => status === "failed",
        );
        expect(failed).toEqual([]);
        expect(said).toMatch(/^EXIT 0$/m);
        expect(said).not.toMatch(/^IN-TMP /m);
        expect(said).toMatch(/^PATTERN-AFTER core$/m);
        expect(said).not.toMatch(/^LEFT /m);
      }),
  );
