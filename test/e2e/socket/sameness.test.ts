// One crash, three ways to its zip: what the kernel tells a pipe handler on its command line, a socket's server has
// to find out. The files must not show the difference.
import { expect } from "bun:test";
import { APP_IMAGE, SHELL_IMAGE } from "../../support/containerd.ts";
import { compilerObstacle, runCrash, type CrashProgram } from "../../support/crash-program.ts";
import { gatedTest, missingProgram, socketObstacle } from "../../support/gate.ts";
import { withComposer, type Way } from "../../support/installed-composer.ts";
import { openZipOf, type OpenedZip } from "../../support/opened-zip.ts";
import { startPod } from "../../support/pods.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";

const obstacles = [socketObstacle(), compilerObstacle(), missingProgram("unzip")];
const WAYS: readonly Way[] = ["pipe", "@", "@@"];

/** What differs from one process or pod to the next, by its kind. */
const OF_THIS_LIFE = {
  uuid: "uuid",
  timestamp: "seconds",
  dump_file: "name",
  real_pid: "pid",
  host_pid: "pid",
  pod_uid: "pod",
  container_id: "container",
  cgroup: "path",
} as const;

function withoutItsLife({ info, suffixes }: OpenedZip) {
  const isThread = info.host_tid !== null && info.host_tid !== info.host_pid;
  const filled = Object.keys(OF_THIS_LIFE).filter((key) => Reflect.get(info, key) !== null);
  return {
    ...info,
    ...OF_THIS_LIFE,
    host_tid: isThread ? "a thread" : "the first",
    filled,
    suffixes,
  };
}

async function dumpsOf(program: CrashProgram, exe: string, args: readonly string[]) {
  const dumps = [];
  for (const way of WAYS) {
    const dump = await withComposer(
      {},
      async (composer) => {
        await runCrash(program, args);
        await composer.zips(1);
        return withoutItsLife(await openZipOf(exe, composer.coreDir, composer.folder));
      },
      way,
    );
    dumps.push(dump);
  }
  return dumps;
}

gatedTest("a thread of a process that has all of its own", obstacles, async () => {
  const [pipe, ...sockets] = await dumpsOf("stranger", "th!read \ufffd\n", []);
  expect(pipe).toMatchObject({
    hostname: "no!such host",
    limit_size: "12345678",
    uid: 12345,
    gid: 54321,
    dumpable: 2,
    host_tid: "a thread",
    core_complete: true,
  });
  for (const socket of sockets) expect(socket).toEqual(pipe ?? socket);
  expect(sockets).toHaveLength(2);
});

for (const name of [".", "..", "a b -s=99"])
  gatedTest(`a process that calls itself ${JSON.stringify(name)}`, obstacles, async () => {
    const shown = name.startsWith(".") ? `!${name.slice(1)}` : name;
    const [pipe, ...sockets] = await dumpsOf("renamed", shown, [name]);
    expect(pipe).toMatchObject({ exe: shown, signal: "6", host_tid: "the first", dumpable: 1 });
    for (const socket of sockets) expect(socket).toEqual(pipe ?? socket);
    expect(sockets).toHaveLength(2);
  });

const suite = runtimeSuite();

gatedTest("a pod of two containers", [...obstacles, ...suite.obstacles], async () => {
  const dumps = [];
  for (const way of WAYS) {
    const pod = await startPod(suite.containerd(), {
      name: "twin",
      labels: { app: "twin" },
      containers: [
        { name: "app", image: APP_IMAGE, args: ["talk", "3"] },
        { name: "sidecar", image: SHELL_IMAGE, args: ["-c", "exec sleep 3600"], uid: 1000 },
      ],
    });
    const dump = await withComposer(
      suite.settings({ INCLUDE_PROC_INFO: true }),
      async (composer) => {
        await crashFirst({ pod });
        await composer.zips(1);
        const zip = await openZipOf("app", composer.coreDir, composer.folder);
        const logs = (await zip.text("-0.log")) + (await zip.text("-1.log"));
        const status = await zip.text("-crash-proc/status");
        return {
          ...withoutItsLife(zip),
          container_index: null,
          // Which stream wins a race is the runtime's matter.
          logs: logs.split("\n").sort(),
          named: /^Name:\t.*$/m.exec(status)?.[0],
        };
      },
      way,
    );
    dumps.push(dump);
  }
  const [pipe, ...sockets] = dumps;
  expect(pipe).toMatchObject({
    hostname: "twin",
    podname: "twin",
    missing: [],
    named: "Name:\tapp",
  });
  expect(pipe?.suffixes).toContain("-1-proc/environ");
  for (const socket of sockets) expect(socket).toEqual(pipe ?? socket);
  expect(sockets).toHaveLength(2);
});
