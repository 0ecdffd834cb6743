// A crash whose container nobody knows, with the host name of another tenant's pod: the name is anybody's to choose,
// so it stands in dump-info as a guess, and brings nothing of that pod.
import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { withCgroup } from "../../support/cgroups.ts";
import { APP_IMAGE } from "../../support/containerd.ts";
import { buildCrashProgram } from "../../support/crash-program.ts";
import { withComposer, type InstalledComposer } from "../../support/installed-composer.ts";
import { openZipOf } from "../../support/opened-zip.ts";
import { startPod, type RunningPod } from "../../support/pods.ts";
import { runtimeSuite } from "../../support/runtime-suite.ts";

const suite = runtimeSuite();

type Settings = Record<string, string | number | boolean>;

/** Each with a victim of its own: of two pods with a name none is guessed. */
let crashes = 0;

/** An unprivileged process of a container that the runtime does not know crashes under the name of a pod. */
async function crashAsVictim(
  settings: Settings,
  check: (composer: InstalledComposer, victim: RunningPod & { name: string }) => Promise<void>,
): Promise<void> {
  const name = `victim-${++crashes}`;
  const victim = await startPod(suite.containerd(), {
    name,
    namespace: "tenant-a",
    labels: { "info.coredump.owner": "tenant-a", "my.org/collect": "yes" },
    containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "7"], uid: 1000 }],
  });
  const program = await buildCrashProgram("sleeper");
  const script = 'hostname "$1" && exec setpriv --reuid=1000 --regid=1000 --clear-groups "$0"';
  const child = Bun.spawn(["unshare", "--uts", "sh", "-c", script, program, name], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  try {
    const { value } = await child.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toStartWith("ready");
    await withCgroup(child.pid, `/docker/${randomBytes(32).toString("hex")}`, () =>
      withComposer(suite.settings(settings), async (composer) => {
        child.kill("SIGSEGV");
        await check(composer, { ...victim, name });
      }),
    );
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

suite.test("a pod that is only guessed is named as a guess, and gives nothing of its own", () =>
  crashAsVictim(
    {
      INCLUDE_PROC_INFO: true,
      CORE_EVENTS: true,
      FILENAME_TEMPLATE: "{namespace}-{podname}-{uuid}",
    },
    async (composer, victim) => {
      await composer.zips(1);
      const zip = await openZipOf("sleeper", composer.coreDir, composer.folder);
      expect(zip.info).toMatchObject({
        hostname: victim.name,
        namespace: null,
        podname: null,
        pod_uid: null,
        container_name: null,
        image: null,
        guessed_namespace: "tenant-a",
        guessed_podname: victim.name,
        guessed_pod_uid: victim.uid,
        core_complete: true,
      });
      expect(zip.suffixes.filter((suffix) => !suffix.startsWith("-crash-proc/"))).toEqual([
        "-dump-info.json",
        ".core",
        "-pod-info.json",
        "-runtime-info.json",
        "-ps-info.json",
        "-summary.json",
        "-report.html",
      ]);
      for (const suffix of ["-pod-info.json", "-runtime-info.json", "-ps-info.json"])
        expect(await zip.json(suffix)).toEqual({});
      expect(basename(zip.path)).toStartWith("unknown-unknown-");
      const event = Bun.file(join(composer.hostDir, "events", `${zip.info.uuid}-event.json`));
      expect(await event.json()).toMatchObject({
        namespace: "unknown",
        labels: {},
        image_list: [],
      });
      const published = (await composer.log()).find(({ event: name }) => name === "dump_published");
      expect(published).toMatchObject({ namespace: null, podname: null });
    },
  ),
);

suite.test(
  "a selector is satisfied by the pod's labels, which takes nobody's dump but its own",
  () =>
    crashAsVictim({ POD_SELECTOR_LABEL: "my.org/collect=yes" }, async (composer) => {
      expect(await endOf(composer)).toMatchObject({ event: "dump_published", namespace: null });
    }),
);

for (const rule of [
  { POD_SELECTOR_LABEL: "my.org/collect=no" },
  { POD_SELECTOR_LABEL: "my.org/collect", NAMESPACE_EXCLUDE: "kube-system" },
  { NAMESPACE_INCLUDE: "tenant-a" },
  { NAMESPACE_EXCLUDE: "kube-system" },
])
  suite.test(`a guess satisfies no rule: ${Object.entries(rule).join()}`, () =>
    crashAsVictim({ ...rule, CORE_EVENTS: true }, async (composer, victim) => {
      expect(await endOf(composer)).toMatchObject({
        event: "dump_skipped",
        level: "warn",
        guessed_pod: `tenant-a/${victim.name}`,
      });
      expect(await composer.settledFiles()).toEqual([]);
      expect(existsSync(join(composer.hostDir, "events"))).toBe(false);
    }),
  );

async function endOf(composer: InstalledComposer): Promise<Record<string, unknown>> {
  for (let tries = 0; tries < 400; tries++) {
    const lines = await composer.log().catch(() => []);
    const start = lines.find(({ event, exe }) => event === "dump_started" && exe === "sleeper");
    const end = lines.find(
      ({ event, uuid }) =>
        uuid === start?.["uuid"] &&
        ["dump_published", "dump_skipped", "dump_failed"].includes(String(event)),
    );
    if (end !== undefined) return end;
    await Bun.sleep(25);
  }
  throw new Error("the dump has no end in composer.log");
}
