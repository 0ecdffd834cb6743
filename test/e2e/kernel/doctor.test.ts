// The doctor on the real kernel: right when all is well, and right about each thing that can be wrong.
import { expect } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TARGETS } from "../../../build/targets.ts";
import { planPatches } from "../../../src/agent/install/self-contained.ts";
import { readElfProgram } from "../../../src/host/elf-program.ts";
import { copyFileAtomically } from "../../../src/host/files.ts";
import { runCommand, startAgent } from "../../support/agent-process.ts";
import { withKernel } from "../../support/borrowed-kernel.ts";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { doctorSays, failuresIn } from "../../support/doctor.ts";
import { builtExecutable, executablePath } from "../../support/executable.ts";
import { findProgram, gatedTest, kernelObstacle, missingProgram } from "../../support/gate.ts";
import { composersAtWork } from "../../support/installed-composer.ts";
import { runTool } from "../../support/run-tool.ts";
import { withFolder } from "../../support/temporary-folder.ts";

interface Host {
  folder: string;
  executable: string;
  hostDir: string;
  environment: Record<string, string>;
}

/** HOST_DIR on a filesystem of its own, with everything installed as an agent leaves it. */
function doctorTest(
  name: string,
  body: (host: Host) => Promise<void>,
  {
    variables = {},
    obstacles = [],
  }: { variables?: Record<string, string>; obstacles?: (string | undefined)[] } = {},
) {
  gatedTest(name, [kernelObstacle(), ...obstacles], async () => {
    const executable = await executablePath();
    await withFolder((folder) =>
      withKernel({ corePattern: "core", corePipeLimit: "0" }, async () => {
        const mounted = join(folder, "m");
        mkdirSync(mounted);
        await runTool(["mount", "-t", "tmpfs", "tmpfs", mounted]);
        try {
          const hostDir = join(mounted, "h");
          const environment = { HOST_DIR: hostDir, COMP_IGNORE_CRIO: "true", ...variables };
          const agent = await startAgent(executable, { ...environment, DOCTOR: "false" });
          await agent.saysEvent("installed");
          agent.child.kill("SIGTERM");
          await agent.child.exited;
          await body({ folder, executable, hostDir, environment });
        } finally {
          await runTool(["umount", "-l", mounted]);
        }
      }),
    );
  });
}

doctorTest("all well: every check passes, and nothing stays behind", async (host) => {
  const { executable, environment, hostDir } = host;
  const run = await runCommand(executable, ["doctor", "--json"], environment);
  const report = JSON.parse(run.stdout) as {
    ok: boolean;
    checks: { name: string; status: string }[];
  };
  const bad = report.checks.filter(({ status }) => status === "failed");
  expect({ ok: report.ok, bad, exitCode: run.exitCode }).toEqual({
    ok: true,
    bad: [],
    exitCode: 0,
  });
  expect(report.checks.find(({ name }) => name === "canary")?.status).toBe("ok");
  expect(run.stderr).toContain("[14/14] canary: ok");
  expect(readdirSync(join(hostDir, "cores"))).toEqual([]);
  expect(readdirSync(hostDir).filter((name) => name.startsWith("cdh-"))).toEqual([]);
});

doctorTest(
  "no rule keeps the canary out, and no sweep ever takes it",
  async ({ executable, environment, folder }) => {
    const store = join(folder, "store");
    mkdirSync(store);
    const agent = await startAgent(executable, {
      ...environment,
      DOCTOR: "true",
      STORE_URL: `file://${store}`,
      USE_INOTIFY: "true",
    });
    const done = await agent.saysEvent("doctor_done");
    for (let again = 0; again < 3; again++)
      expect((await doctorSays(environment, { only: ["canary"] }))["canary"]?.status).toBe("ok");
    agent.child.kill("SIGTERM");
    await agent.child.exited;
    expect(done["failed"]).toBe(0);
    expect(readdirSync(store)).toEqual([]);
    expect(agent.lines.filter(({ event }) => event === "upload_finished")).toEqual([]);
  },
  {
    variables: {
      COMP_POD_SELECTOR_LABEL: "team=x",
      COMP_CRASH_LOOP_LIMIT: "1",
      COMP_CORE_EVENTS: "true",
    },
  },
);

doctorTest(
  "HOST_DIR noexec is named, with the mount as evidence",
  async ({ folder, environment }) => {
    await runTool(["mount", "-o", "remount,noexec", join(folder, "m")]);
    const findings = await doctorSays(environment);
    expect(findings["HOST_DIR"]).toMatchObject({ status: "failed" });
    expect(findings["HOST_DIR"]?.found).toContain("mounted noexec");
    expect(findings["HOST_DIR"]?.evidence).toContain("/proc/self/mountinfo");
    expect(findings["canary"]?.status).toBe("skipped");
  },
);

doctorTest("HOST_DIR read-only is named, and so is CORE_DIR", async ({ folder, environment }) => {
  await runTool(["mount", "-o", "remount,ro", join(folder, "m")]);
  const findings = await doctorSays(environment);
  expect(findings["HOST_DIR"]?.found).toContain("mounted ro");
  expect(findings["space"]?.found).toContain("read-only");
});

doctorTest("a core_pattern that is another tool's is named", async ({ environment }) => {
  writeFileSync("/proc/sys/kernel/core_pattern", "|/usr/lib/systemd/systemd-coredump %P");
  const findings = await doctorSays(environment);
  expect(findings["core_pattern"]?.found).toContain("belongs to systemd-coredump");
  expect(failuresIn(findings)).toEqual(["core_pattern"]);
});

doctorTest("a core_pattern that is taken in the middle is noticed by the canary", async (host) => {
  const findings = await doctorSays(host.environment, {
    before: async () =>
      writeFileSync("/proc/sys/kernel/core_pattern", "|/usr/share/apport/apport %p"),
  });
  expect(findings["core_pattern"]?.status).toBe("ok");
  expect(findings["canary"]?.found).toContain("taken by apport while the canary crashed");
  expect(findings["canary"]?.evidence).toBe("kernel.core_pattern = |/usr/share/apport/apport %p");
});

doctorTest("an executable whose loader is not on the host is named twice", async (host) => {
  const { executable, hostDir, environment } = host;
  const loader = Buffer.from("/no/such/ld-linux.so.2\0");
  const patches = planPatches(executable, await readElfProgram(executable), loader);
  await copyFileAtomically(executable, join(hostDir, "cdc"), 0o700, patches);
  const findings = await doctorSays(environment);
  expect(findings["executable"]?.found).toContain("needs the loader /no/such/ld-linux.so.2");
  expect(findings["executable"]?.remedy).toContain("VENDOR=");
  expect(findings["canary"]?.found).toContain("the kernel did not start");
});

doctorTest("an executable for another machine is named", async ({ hostDir, environment }) => {
  const other = TARGETS.find(({ arch, libc }) => arch !== process.arch && libc === "gnu");
  if (other === undefined) throw new Error("there is no other architecture");
  copyFileSync(await builtExecutable(other), join(hostDir, "cdc"));
  chmodSync(join(hostDir, "cdc"), 0o700);
  const findings = await doctorSays(environment);
  expect(findings["executable"]?.found).toContain("is made for ");
  expect(findings["canary"]?.status).toBe("failed");
});

doctorTest(
  "a crash beyond core_pipe_limit is named, with the kernel's own line",
  async ({ hostDir, environment }) => {
    const sleeper = await startSleeper("mapping", ["200"]);
    writeFileSync("/proc/sys/kernel/core_pipe_limit", "1");
    const crashed = sleeper.crash();
    let composers: number[] = [];
    while (composers.length === 0) composers = await composersAtWork(join(hostDir, "cdc"));
    for (const pid of composers) process.kill(pid, "SIGSTOP");
    try {
      const { canary } = await doctorSays(environment, { only: ["canary"] });
      expect(canary?.found).toContain("the kernel dropped the crash");
      expect(canary?.evidence).toContain("over core_pipe_limit");
      expect(canary?.remedy).toContain("CORE_PIPE_LIMIT");
    } finally {
      for (const pid of composers) process.kill(pid, "SIGCONT");
    }
    // The real dump that was under way is none the worse for it.
    await crashed;
    while ((await composersAtWork(join(hostDir, "cdc"))).length > 0) await Bun.sleep(20);
    expect(
      readdirSync(join(hostDir, "cores")).filter((name) => name.endsWith(".zip")),
    ).toHaveLength(1);
  },
  { obstacles: [compilerObstacle()] },
);

doctorTest("a full CORE_DIR is named, and the composer's own words with it", async (host) => {
  const full = join(host.folder, "full");
  mkdirSync(full);
  await runTool(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", full]);
  try {
    writeFileSync(join(host.hostDir, ".env"), `CORE_DIR="${full}"\nIGNORE_CRIO="true"\n`);
    Bun.spawnSync(["dd", "if=/dev/zero", `of=${full}/fill`, "bs=64k"], { stderr: "ignore" });
    const findings = await doctorSays({ ...host.environment, CORE_DIR: full });
    expect(findings["space"]?.found).toContain("is full");
    expect(findings["canary"]?.status).toBe("failed");
    expect(findings["canary"]?.evidence).toContain("composer.log: ");
  } finally {
    await runTool(["umount", "-l", full]);
  }
});

doctorTest(
  "without root it says so, and tries no crash",
  async ({ folder, executable, environment }) => {
    chmodSync(folder, 0o755);
    const copy = join(folder, "core-dump-handler");
    copyFileSync(executable, copy);
    chmodSync(copy, 0o755);
    const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", copy];
    const run = await runCommand(findProgram("setpriv") ?? "", [...nobody, "doctor"], environment);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/root +FAILED +this is user 65534/);
    expect(run.stdout).toMatch(/canary +skipped +not tried, as root is wrong/);
    expect(run.stdout).not.toContain("\u001b");
  },
  { obstacles: [missingProgram("setpriv")] },
);
