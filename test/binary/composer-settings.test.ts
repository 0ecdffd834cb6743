// Every key of the contract's section 3, as the compiled composer reads it from `.env`: each has an effect that
// is seen from outside.
import { expect } from "bun:test";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { cgroupObstacle, withCgroup } from "../support/cgroups.ts";
import { runComposerProcess } from "../support/composer-process.ts";
import {
  crictlCalls,
  crictlObstacle,
  installFakeCrictl,
  type CrictlAnswers,
} from "../support/fake-crictl.ts";
import { executablePath } from "../support/executable.ts";
import { gatedTest } from "../support/gate.ts";
import { installComposer, type InstalledComposer } from "../support/installed-composer.ts";
import { judgeZips, type JudgedZip } from "../support/many-zips.ts";
import { CRASH_ARGS } from "../support/sample-crash.ts";
import { sampleCore } from "../support/sample-core.ts";
import { withFolder } from "../support/temporary-folder.ts";
import { readersObstacle } from "../support/zip-readers.ts";

const CORE = sampleCore(300_000, 17);
type Settings = Record<string, string | number | boolean>;

interface Outcome {
  composer: InstalledComposer;
  exitCode: number | null;
  zips: Record<string, JudgedZip>;
  /** The first of them. */
  zip: JudgedZip;
}

interface HowToCompose {
  args?: readonly string[];
  /** Where the crashed process is; it gets one then. */
  cgroup?: string;
  script?: string;
  /** What else lies in HOST_DIR. */
  prepare?: (composer: InstalledComposer) => void;
}

/** Composes the sample core with these settings, then looks at everything. */
function compose(
  settings: Settings,
  look: (outcome: Outcome) => void | Promise<void>,
  { args = CRASH_ARGS, cgroup, script = "cat core", prepare }: HowToCompose = {},
): Promise<void> {
  if (cgroup !== undefined)
    return withProcessIn(cgroup, (pid) =>
      compose(settings, look, {
        args: [...args, `-P=${pid}`],
        script,
        ...(prepare === undefined ? {} : { prepare }),
      }),
    );
  return withFolder(async (folder) => {
    writeFileSync(join(folder, "core"), CORE);
    const composer = await installComposer(folder, settings);
    prepare?.(composer);
    const exitCode = await runComposerProcess(composer, { script, args });
    const zips = await judgeZips(composer.coreDir);
    const zip = Object.values(zips)[0] ?? { bad: "none", names: [], sizes: [], info: {} };
    await look({ composer, exitCode, zips, zip });
  });
}

async function withProcessIn(cgroup: string, body: (pid: number) => Promise<void>): Promise<void> {
  const child = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
  try {
    await withCgroup(child.pid, cgroup, () => body(child.pid));
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

const NAMED = { FILENAME_TEMPLATE: "T" };
const obstacles = [readersObstacle()];

gatedTest("NODE_NAME is what the dump calls its node", obstacles, async () => {
  for (const [settings, node] of [
    [{ NODE_NAME: "node-1.pool" }, "node-1.pool"],
    [{}, hostname()],
  ] as const)
    await compose(settings, ({ zip }) => expect(zip.info).toMatchObject({ node_hostname: node }));
});

gatedTest("LOG_LEVEL=Debug tells more than the milestones", obstacles, async () => {
  for (const [level, told] of [
    ["Debug", true],
    ["Error", false],
  ] as const)
    await compose({ LOG_LEVEL: level }, async ({ composer }) => {
      const events = (await composer.log()).map(({ event }) => event);
      expect(events.includes("core_drained")).toBe(told);
      expect(events).toContain("dump_published");
    });
});

const FIELDS: Record<string, string> = {
  timestamp: "1700000000",
  hostname: "web-1",
  exe_name: "server",
  pid: "7",
  signal: "11",
  limit_size: "18446744073709551615",
  pathname: "!usr!bin!server",
  namespace: "unknown",
  podname: "unknown",
};

gatedTest(
  "FILENAME_TEMPLATE: every field, in one pair of braces and in two",
  obstacles,
  async () => {
    const fields = Object.keys(FIELDS);
    for (const form of [(field: string) => `{${field}}`, (field: string) => `{{${field}}}`])
      await compose({ FILENAME_TEMPLATE: fields.map(form).join("-") }, ({ zips, zip }) => {
        const name = Object.values(FIELDS).join("-");
        expect(Object.keys(zips)).toEqual([`${name}.zip`]);
        expect(zip.names).toEqual([
          `${name}-dump-info.json`,
          `${name}.core`,
          `${name}-report.html`,
        ]);
      });
  },
);

gatedTest(
  "a template with an unknown field gives the uuid, and the complaint",
  obstacles,
  async () => {
    await compose({ FILENAME_TEMPLATE: "{host}-{uuid}" }, async ({ zips, zip, composer }) => {
      const uuid = String(zip.info["uuid"]);
      expect(Object.keys(zips)[0]).toStartWith(uuid);
      expect(zip.info["settings_ignored"]).toEqual([expect.stringContaining("FILENAME_TEMPLATE")]);
      expect(await composer.log()).toContainEqual(
        expect.objectContaining({ event: "bad_setting", uuid }),
      );
    });
  },
);

gatedTest("a name that is taken gets a suffix, and the older dump stays", obstacles, async () => {
  await compose(NAMED, async ({ composer }) => {
    for (let i = 0; i < 2; i++) await runComposerProcess(composer, { script: "echo later" });
    const zips = await judgeZips(composer.coreDir);
    expect(Object.keys(zips)).toEqual(["T-1.zip", "T-2.zip", "T.zip"]);
    expect(zips["T.zip"]?.sizes[1]).toBe(CORE.length);
  });
});

gatedTest("TIMEOUT closes the zip and exits with 32", obstacles, async () => {
  const silent = { script: "head -c 100000 core; exec sleep 600" };
  await compose(
    { ...NAMED, TIMEOUT: 1 },
    ({ exitCode, zip }) => {
      expect([exitCode, zip.bad, zip.info["truncated_by"]]).toEqual([32, null, "timeout"]);
    },
    silent,
  );
});

gatedTest("COMPRESSION=false stores", obstacles, async () => {
  await compose({ ...NAMED, COMPRESSION: false }, ({ composer, zip }) => {
    expect(zip.bad).toBeNull();
    expect(Bun.file(join(composer.coreDir, "T.zip")).size).toBeGreaterThan(CORE.length);
  });
});

gatedTest(
  "COMPRESSION=zstd compresses the core with zstd, which extract reads",
  obstacles,
  async () => {
    await compose({ ...NAMED, COMPRESSION: "zstd" }, async ({ composer }) => {
      const zip = join(composer.coreDir, "T.zip");
      expect(Bun.file(zip).size).toBeLessThan(CORE.length);
      for (const command of [
        ["bsdtar", "-xOf", zip, "T.core"],
        [await executablePath(), "extract", zip, "-o", "-"],
      ]) {
        const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
        expect(Buffer.from(await child.stdout.bytes()).equals(CORE)).toBe(true);
        expect(await child.exited).toBe(0);
      }
    });
  },
);

gatedTest(
  "MAX_CORE_SIZE cuts the core there, DISK_RESERVE never all of a small disk",
  obstacles,
  async () => {
    await compose({ ...NAMED, MAX_CORE_SIZE: "100k", DISK_RESERVE: "1Gi" }, ({ exitCode, zip }) => {
      expect([exitCode, zip.bad, zip.sizes[1]]).toEqual([0, null, 100_000]);
      expect(zip.info).toMatchObject({ core_complete: false, truncated_by: "size_limit" });
    });
  },
);

gatedTest("CORE_DIR goes before -d", obstacles, async () => {
  const args = [...CRASH_ARGS, "-d=elsewhere"];
  await compose(NAMED, ({ zip }) => expect(zip.bad).toBeNull(), { args });
});

gatedTest(
  "CORE_EVENTS and EVENT_DIRECTORY: the event stands there, capitals and all",
  obstacles,
  () =>
    withFolder(async (events) => {
      const settings = { ...NAMED, CORE_EVENTS: true, EVENT_DIRECTORY: join(events, "Events") };
      await compose(settings, ({ zip }) => {
        const uuid = String(zip.info["uuid"]);
        const [name = "none"] = readdirSync(join(events, "Events"));
        expect(name).toBe(`${uuid}-event.json`);
        const event: unknown = JSON.parse(readFileSync(join(events, "Events", name), "utf8"));
        expect(event).toMatchObject({ uuid, key: "T.zip", pid: "7", signal: "11" });
      });
    }),
);

gatedTest("INCLUDE_PROC_INFO adds the crashed process's /proc files", obstacles, async () => {
  const child = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
  try {
    const args = [...CRASH_ARGS, `-P=${child.pid}`, "-k=1"];
    const settings = {
      ...NAMED,
      IGNORE_CRIO: false,
      CRI_CLIENT: "native",
      CRIO_ENDPOINT: "unix:///none",
    };
    await compose(
      { ...settings, INCLUDE_PROC_INFO: true },
      ({ zip }) => {
        expect(zip.names).toContain("T-crash-proc/maps");
      },
      { args },
    );
    await compose(
      settings,
      ({ zip }) => {
        expect(zip.names.filter((name) => name.includes("proc"))).toEqual([]);
      },
      { args },
    );
  } finally {
    child.kill();
    await child.exited;
  }
});

const POD = "ab".repeat(32);
const CONTAINER = "cd".repeat(32);
const IMAGE = { id: "sha256:11", repoTags: ["app:1"], repoDigests: ["app@sha256:22"] };
const ANSWERS: CrictlAnswers = {
  pods: [
    { id: POD, metadata: { name: "web-1", namespace: "shop", uid: "u1" }, state: "SANDBOX_READY" },
  ],
  inspectp: { [POD]: { status: { id: POD }, info: {} } },
  containers: [
    { id: CONTAINER, podSandboxId: POD, metadata: { name: "app" }, imageRef: "sha256:11" },
  ],
  images: [IMAGE],
  inspect: { [CONTAINER]: { status: { id: CONTAINER }, info: { sandboxID: POD } } },
  logs: { [CONTAINER]: { stdout: "a line\n", stderr: "" } },
};
const CRICTL = { ...NAMED, IGNORE_CRIO: false, CRI_CLIENT: "crictl" };
const withCrictl = (mode: "good" | "hanging" | "failing") => ({
  cgroup: `/docker/${CONTAINER}`,
  prepare: ({ hostDir }: InstalledComposer) => installFakeCrictl(hostDir, mode, ANSWERS),
});

gatedTest(
  "IGNORE_CRIO asks nobody; without it the pod is in the zip, in the contract's order",
  [...obstacles, crictlObstacle(), cgroupObstacle()],
  async () => {
    await compose(
      { ...CRICTL, IGNORE_CRIO: true },
      ({ composer, zip }) => {
        expect(zip.names).toEqual(["T-dump-info.json", "T.core", "T-report.html"]);
        expect(crictlCalls(composer.hostDir)).toEqual([]);
      },
      withCrictl("good"),
    );
    // A name that needs the pod has it, and nothing else of the runtime's comes.
    await compose(
      { ...CRICTL, IGNORE_CRIO: true, FILENAME_TEMPLATE: "{namespace}-{{ podname }}" },
      ({ zip }) => {
        const suffixes = ["-dump-info.json", ".core", "-report.html"];
        expect(zip.names).toEqual(suffixes.map((suffix) => `shop-web-1${suffix}`));
        expect(zip.info).toMatchObject({ namespace: "shop", podname: "web-1" });
      },
      withCrictl("good"),
    );
    await compose(
      { ...CRICTL, FILENAME_TEMPLATE: "{namespace}-{podname}" },
      ({ zip }) => {
        const suffixes = [
          "-dump-info.json",
          ".core",
          "-pod-info.json",
          "-runtime-info.json",
          "-ps-info.json",
          "-0.log",
          "-0-image-info.json",
          "-report.html",
        ];
        expect(zip.bad).toBeNull();
        expect(zip.names).toEqual(suffixes.map((suffix) => `shop-web-1${suffix}`));
        expect(zip.info).toMatchObject({
          namespace: "shop",
          podname: "web-1",
          identity: "cgroup",
          container_id: CONTAINER,
        });
      },
      withCrictl("good"),
    );
  },
);

gatedTest(
  "CRIO_IMAGE_CMD, USE_CRIO_CONF and LOG_LENGTH reach crictl",
  [...obstacles, crictlObstacle(), cgroupObstacle()],
  async () => {
    await compose(
      { ...CRICTL, CRIO_IMAGE_CMD: "images", LOG_LENGTH: 7, USE_CRIO_CONF: true },
      ({ composer }) => {
        const calls = crictlCalls(composer.hostDir);
        expect(calls.every((call) => call.startsWith(`-c ${composer.hostDir}/crictl.yaml `))).toBe(
          true,
        );
        expect(calls.some((call) => /\bimages\b/.test(call))).toBe(true);
        expect(calls).toContainEqual(expect.stringMatching(/ logs .*--tail[= ]7/));
      },
      withCrictl("good"),
    );
    await compose(
      CRICTL,
      ({ composer }) => {
        const calls = crictlCalls(composer.hostDir);
        expect(calls.some((call) => call.includes("crictl.yaml"))).toBe(false);
        expect(calls.some((call) => call.startsWith("img "))).toBe(true);
        expect(calls).toContainEqual(expect.stringMatching(/^logs .*--tail[= ]500/));
      },
      withCrictl("good"),
    );
  },
);

gatedTest(
  "a runtime that hangs or fails costs no core: the pod's entries are empty, and it is said",
  [...obstacles, crictlObstacle(), cgroupObstacle()],
  async () => {
    for (const mode of ["hanging", "failing"] as const)
      await compose(
        { ...CRICTL, CRI_TIMEOUT: 1 },
        ({ exitCode, zip }) => {
          expect([exitCode, zip.bad]).toEqual([0, null]);
          expect(zip.names).toContain("T-pod-info.json");
          expect(zip.info).toMatchObject({ core_complete: true, namespace: null });
          expect(zip.info["missing"]).not.toEqual([]);
        },
        withCrictl(mode),
      );
  },
);

gatedTest(
  "the deadline passes while the runtime hangs: exit code 32, and the whole core",
  [...obstacles, crictlObstacle(), cgroupObstacle()],
  async () => {
    await compose(
      { ...CRICTL, CRI_TIMEOUT: 60, TIMEOUT: 3 },
      ({ exitCode, zip }) => {
        expect([exitCode, zip.bad, zip.info["core_complete"]]).toEqual([32, null, true]);
      },
      withCrictl("hanging"),
    );
  },
);

gatedTest(
  "POD_SELECTOR_LABEL and the namespace rules leave nothing behind of what they leave out",
  [...obstacles, crictlObstacle(), cgroupObstacle()],
  async () => {
    for (const rule of [
      { POD_SELECTOR_LABEL: "app" },
      { NAMESPACE_INCLUDE: "prod-*" },
      { NAMESPACE_EXCLUDE: "shop" },
    ])
      await compose(
        { ...CRICTL, ...rule, CORE_EVENTS: true },
        async ({ composer, exitCode }) => {
          expect(exitCode).toBe(0);
          expect(readdirSync(composer.coreDir)).toEqual([]);
          expect(readdirSync(composer.hostDir)).not.toContain("events");
          expect((await composer.log()).at(-1)).toMatchObject({ event: "dump_skipped" });
        },
        { ...withCrictl("good"), script: "cat core; exec yes" },
      );
  },
);

for (const [title, text] of [
  ["missing", undefined],
  ["binary", Buffer.from(Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) >> 3))],
  ["huge", Buffer.alloc(1 << 20, "A=1\n")],
] as const)
  gatedTest(`a .env that is ${title} costs no core, and is complained of`, obstacles, async () => {
    const prepare = ({ hostDir }: InstalledComposer) => {
      Bun.spawnSync(["rm", join(hostDir, ".env")]);
      if (text !== undefined) writeFileSync(join(hostDir, ".env"), text);
    };
    await compose(
      {},
      async ({ composer, exitCode, zip }) => {
        expect([exitCode, zip.bad, zip.info["core_complete"]]).toEqual([0, null, true]);
        const log = await composer.log();
        expect(log[0]).toMatchObject({ event: "dump_started" });
        if (title !== "binary") {
          expect(log).toContainEqual(expect.objectContaining({ event: "bad_setting" }));
          expect(zip.info["settings_ignored"]).toHaveLength(1);
        }
      },
      { prepare },
    );
  });
