// CAPTURE_MODE=auto under another kernel than this machine's (CDH_GUEST_KERNEL names it): a pipe where the kernel may
// start our program, else its coredump socket (Linux 6.16 and later), or files, which the agent collects.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FILE_PATTERN } from "../../../src/model/core-file-pattern.ts";
import { gatedTest } from "../../support/gate.ts";
import { bootGuest, guestObstacle, makeGuestRoot } from "../../support/guest.ts";
import { X64_GUEST } from "../../support/guest-machine.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const INIT = join(import.meta.dir, "../../fixtures/guest/capture-init.sh");

/** The version stands in a kernel's boot header (Documentation/arch/x86/boot.rst, kernel_version). */
function hasSocket(): boolean {
  const kernel = X64_GUEST.kernel();
  if (kernel === undefined) return false;
  const image = readFileSync(kernel);
  const at = 0x200 + image.readUInt16LE(0x20e);
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(image.toString("latin1", at, at + 20)) ?? [];
  return Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 16);
}

const NEXT = hasSocket()
  ? { mode: "socket", pattern: /^PATTERN-LOCKED @@\/locked\/h\/cdc\.sock$/m }
  : { mode: "file", pattern: new RegExp(`^PATTERN-LOCKED ${RegExp.escape(FILE_PATTERN)}$`, "m") };

gatedTest(
  `a guest's kernel chooses a pipe, and ${NEXT.mode} where HOST_DIR allows no execution`,
  [guestObstacle()],
  () =>
    withFolder(async (folder) => {
      const said = await bootGuest(folder, await makeGuestRoot(folder, INIT, "program"));
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
        { level: "info", mode: NEXT.mode },
      ]);
      expect(chosen[1]?.["tried"]).toMatch(/^pipe: .* mounted noexec /);
      if (NEXT.mode === "file")
        expect(chosen[1]?.["tried"]).toContain("; socket: this kernel has no coredump socket");
      expect(said).toMatch(/^PATTERN-OPEN \|\/open\/cdc /m);
      expect(said).toMatch(NEXT.pattern);
      const info = JSON.parse(/^DUMP-INFO (\{.*\})$/m.exec(said)?.[1] ?? "{}");
      expect(info).toMatchObject({ exe: "sh", signal: "11", core_complete: true });
      const report = JSON.parse(/^\{$[\s\S]*?^\}$/m.exec(said)?.[0] ?? "{}");
      const failed = report.checks?.filter(({ status }: { status: string }) => status === "failed");
      expect(failed).toEqual([]);
      expect(said).toMatch(/^EXIT 0$/m);
      expect(said).not.toMatch(/^IN-TMP /m);
      expect(said).toMatch(/^PATTERN-AFTER core$/m);
      expect(said).not.toMatch(/^LEFT /m);
      expect(said).toMatch(/^GUEST-DONE /m);
    }),
);
