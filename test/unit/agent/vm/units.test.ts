// The systemd units: what systemd itself says of them, and what they must and must not hold.
import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AGENT_UNIT, EARLY_UNIT, planUnits } from "../../../../src/agent/vm/units.ts";
import { CAPTURE_MODES, type CaptureMode } from "../../../../src/model/capture-mode.ts";
import { gatedTest, missingProgram } from "../../../support/gate.ts";
import { runTool } from "../../../support/run-tool.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const SETTINGS = {
  HOST_DIR: "/var/lib/cdh",
  CORE_DIR: "/var/lib/cdh/cores",
  EVENT_DIR: "/var/lib/cdh/events",
  STORE_URL: "file:///mnt/a%20share",
};

/** systemd's own score: 10 is wide open. What is left is what the job needs (see units.ts). */
const EXPOSURE_MAX = 5;

function unitsFor(program: string, mode: CaptureMode = "pipe") {
  return planUnits({ program, settings: SETTINGS, mode });
}

test("the early unit runs before whatever may crash, and after what may set core_pattern", () => {
  const unit = unitsFor("/opt/x/core-dump-handler")[EARLY_UNIT] ?? "";
  expect(unit).toContain("ExecStart=/opt/x/core-dump-handler apply\n");
  expect(unit).toContain("After=local-fs.target systemd-sysctl.service\n");
  expect(unit).toContain("Before=sysinit.target ");
  expect(unit).toContain("DefaultDependencies=no\n");
});

test("the agent may write where it has to, and nowhere else", () => {
  const unit = unitsFor("/opt/x/core-dump-handler")[AGENT_UNIT] ?? "";
  const paths = [...unit.matchAll(/^ReadWritePaths=(.*)$/gm)].map(([, path]) => path);
  expect(paths).toEqual([
    "-/var/lib/cdh",
    "-/var/lib/cdh/cores",
    "-/var/lib/cdh/events",
    '"-/mnt/a share"',
  ]);
  expect(unit).toContain("ProtectSystem=strict\n");
  expect(unit).toContain("PrivateTmp=yes\n");
});

test("folders in /tmp are not hidden from it, and % is no specifier", () => {
  const settings = { ...SETTINGS, HOST_DIR: "/tmp/h", CORE_DIR: "/srv/100%" };
  const unit = planUnits({ program: "/opt/x", settings, mode: "pipe" })[AGENT_UNIT] ?? "";
  expect(unit).not.toContain("PrivateTmp");
  expect(unit).toContain("ReadWritePaths=-/srv/100%%\n");
});

test("by a pipe the units are as closed as ever; by socket and file, composers of ours need more", () => {
  const pipe = unitsFor("/opt/x")[AGENT_UNIT] ?? "";
  expect(pipe).toContain("RestrictNamespaces=yes\n");
  expect(pipe).not.toContain("KillMode");
  expect(pipe).not.toContain("CAP_SYS_ADMIN");
  for (const unit of Object.values(unitsFor("/opt/x", "socket"))) {
    expect(unit).toContain("KillMode=process\n");
    expect(unit).toContain("RestrictNamespaces=mnt uts\n");
    expect(unit).toContain("ProtectSystem=strict\n");
    for (const name of [
      "CAP_KILL",
      "CAP_SETGID",
      "CAP_SETUID",
      "CAP_SYS_ADMIN",
      "CAP_SYS_CHROOT",
      "CAP_SYS_PTRACE",
    ])
      expect(unit).toContain(name);
  }
  for (const unit of Object.values(unitsFor("/opt/x", "file"))) {
    // It collects, and removes, wherever a container has its root.
    expect(unit).not.toMatch(/ProtectSystem|ProtectHome|PrivateTmp/);
    for (const name of ["CAP_LEASE", "CAP_SETGID", "CAP_SETUID"]) expect(unit).toContain(name);
  }
});

gatedTest(
  "systemd has nothing to complain about",
  [missingProgram("systemd-analyze")],
  async () => {
    await withFolder(async (folder) => {
      mkdirSync(join(folder, "units"));
      const program = join(folder, "core-dump-handler");
      copyFileSync("/bin/true", program);
      const modes = CAPTURE_MODES.flatMap((mode) =>
        Object.entries(unitsFor(program, mode)).map(([name, text]) => ({ name, mode, text })),
      );
      const paths = modes.map(({ name, mode, text }) => {
        const path = join(folder, "units", `${mode}-${name}`);
        writeFileSync(path, text.replaceAll("core-dump-handler-early.service", `${mode}-$&`));
        return path;
      });
      const child = Bun.spawn(["systemd-analyze", "verify", "--man=no", ...paths], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const said = (await child.stdout.text()) + (await child.stderr.text());
      await child.exited;
      const ours = said.split("\n").filter((line) => line.includes("core-dump-handler"));
      expect(ours).toEqual([]);
    });
  },
);

gatedTest("systemd's exposure of both is low", [missingProgram("systemd-analyze")], async () => {
  await withFolder(async (folder) => {
    for (const [name, text] of Object.entries(unitsFor("/bin/true"))) {
      writeFileSync(join(folder, name), text);
      const said = await runTool([
        "systemd-analyze",
        "security",
        "--offline=yes",
        "--no-pager",
        join(folder, name),
      ]);
      const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(said)?.[1]);
      expect(exposure).toBeLessThan(EXPOSURE_MAX);
    }
  });
});
