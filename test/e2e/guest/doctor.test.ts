// A plain host under a kernel of its own (CDH_GUEST_KERNEL names it): installed from one executable and one file,
// examined by its doctor, forgotten by the kernel and put back, used, removed.
import { expect } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatEnvFile } from "../../../src/model/env-file.ts";
import { gatedTest } from "../../support/gate.ts";
import { bootGuest, guestObstacle, makeGuestRoot } from "../../support/guest.ts";
import { ARM64_GUEST, X64_GUEST } from "../../support/guest-machine.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const INIT = join(import.meta.dir, "../../fixtures/guest/doctor-init.sh");

for (const machine of [X64_GUEST, ARM64_GUEST])
  gatedTest(
    `a host of its own (${machine.name}) is installed, proven, used and left clean`,
    [guestObstacle(machine)],
    () =>
      withFolder(async (folder) => {
        const root = await makeGuestRoot(folder, INIT, "program", machine);
        await mkdir(join(root, "store"));
        // Its disk is its memory, half full of ourselves.
        const settings = { HOST_DIR: "/host", STORE_URL: "file:///store", COMP_DISK_FREE: "0" };
        await writeFile(
          join(root, "config"),
          formatEnvFile({ ...settings, COMP_DISK_QUOTA: "100%" }),
        );
        const said = await bootGuest(folder, root, machine);
        const report = JSON.parse(/^\{$[\s\S]*?^\}$/m.exec(said)?.[0] ?? "{}");
        const statuses = Object.fromEntries(
          (report.checks ?? []).map(({ name, status }: { name: string; status: string }) => [
            name,
            status,
          ]),
        );
        expect(statuses).toMatchObject({
          core_pattern: "ok",
          executable: "ok",
          "container runtime": "skipped",
          store: "ok",
          canary: "ok",
        });
        expect(said).toMatch(/^EXIT 0$/m);
        expect(said).toMatch(/SIGSEGV/);
        expect(said.match(/^STORED .*\.zip$/gm)).toHaveLength(1);
        expect(said).toMatch(/^PATTERN core$/m);
        expect(said).not.toMatch(/^LEFT /m);
        expect(said).toMatch(/^GUEST-DONE /m);
      }),
  );
