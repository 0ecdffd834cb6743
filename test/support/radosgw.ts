// A real S3 server for tests and benchmarks: Ceph's radosgw over a monitor and one OSD that keeps its
// objects in memory (4 GiB; when full, writes hang). Packages radosgw ceph-mon ceph-osd, private folder and
// ports, loopback only. It is started once a process and dies with it: the kernel kills the daemons
// (PR_SET_PDEATHSIG, through setpriv) even where the test run itself is killed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./at-end.ts";
import { missingProgram } from "./gate.ts";

export interface S3Server {
  /** http://127.0.0.1:PORT */
  endpoint: string;
  accessKey: string;
  secret: string;
  /**
   * A second gateway to the same buckets that also takes session credentials, and gives them (STS). It is
   * started when first asked for: with STS on, radosgw 16 answers AccessDenied to every wrong key.
   */
  withSessions(): Promise<S3Server>;
}

const ACCESS_KEY = "AKTEST";
/** The name below which buckets are hosts; nothing resolves it, a proxy has to. */
export const DNS_NAME = "s3.test";
export const KMS_KEY_ID = "test-key-1";
/** A second user (with the same secret), who may do what a bucket's policy lets it. */
export const WRITER = "writer";
export const WRITER_ACCESS_KEY = "AKWRITER";
/** A role that the user may assume, and that may do everything (sts-sessions.ts). */
export const ROLE_ARN = "arn:aws:iam:::role/uploader";
const SECRET = "SKTESTSKTEST";
const PROGRAMS = ["setpriv", "ceph-mon", "ceph-osd", "radosgw", "ceph", "ceph-authtool"];
const START_TIMEOUT_MS = 90_000;

let started: Promise<S3Server> | undefined;

/** Why there is no server to be had here, or undefined. */
export function s3Obstacle(): string | undefined {
  const missing = PROGRAMS.find((program) => missingProgram(program) !== undefined);
  return missing === undefined
    ? undefined
    : `needs ${missing} (apt-get install radosgw ceph-mon ceph-osd)`;
}

/** The server of this process; the first call starts it (2 s) and says how much it is to hold. */
export function startRadosgw(memoryBytes = 4 * 2 ** 30): Promise<S3Server> {
  started ??= start(memoryBytes);
  return started;
}

async function start(memoryBytes: number): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), "cdh-radosgw-"));
  const [gatewayPort = 0, sessionsPort = 0, monitorPort = 0] = await freePorts(3);
  const daemons: Bun.Subprocess[] = [];
  atEnd(() => {
    for (const daemon of daemons) daemon.kill("SIGKILL");
    // The killed daemons may be writing for a moment yet.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  for (const name of ["mon", "osd", "rgw", "log", "run"]) mkdirSync(join(folder, name));
  const clusterId = crypto.randomUUID();
  const configPath = join(folder, "ceph.conf");
  writeFileSync(configPath, clusterConfig({ folder, clusterId, monitorPort, memoryBytes }));
  const ceph = (...args: string[]) => run([args[0] ?? "", "-c", configPath, ...args.slice(1)]);
  const daemon = (...args: string[]) => {
    const log = Bun.file(join(folder, "log", `${args[0]}-${daemons.length}.out`));
    const command = ["setpriv", "--pdeathsig", "KILL", args[0] ?? "", "-c", configPath];
    daemons.push(
      Bun.spawn([...command, ...args.slice(1), "-f"], { stdin: null, stdout: log, stderr: log }),
    );
  };

  const keyring = join(folder, "keyring");
  const monmap = join(folder, "monmap");
  await makeKeyring(keyring);
  const address = `[v2:127.0.0.1:${monitorPort}]`;
  await run(["monmaptool", "--create", "--addv", "a", address, "--fsid", clusterId, monmap]);
  await ceph("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring);
  daemon("ceph-mon", "-i", "a");
  await until("the monitor", () => ceph("ceph", "--connect-timeout", "2", "mon", "stat"));
  const osdId = crypto.randomUUID();
  await ceph("ceph", "osd", "new", osdId);
  await ceph("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osdId);
  daemon("ceph-osd", "-i", "0");
  await until("the OSD", async () => {
    if (!(await ceph("ceph", "osd", "stat")).includes("1 up")) throw new Error("the OSD is not up");
  });
  const gateway = async (port: number, ...args: string[]) => {
    daemon(
      "radosgw",
      "-n",
      "client.admin",
      `--rgw-frontends=beast endpoint=127.0.0.1:${port}`,
      ...args,
    );
    const endpoint = `http://127.0.0.1:${port}`;
    await until("radosgw", async () => (await fetch(endpoint)).arrayBuffer());
    return endpoint;
  };
  const endpoint = await gateway(gatewayPort);
  const user = ["--uid=test", "--display-name=test", `--access-key=${ACCESS_KEY}`];
  await ceph("radosgw-admin", "user", "create", ...user, `--secret-key=${SECRET}`);
  await ceph(
    "radosgw-admin",
    "user",
    "create",
    `--uid=${WRITER}`,
    "--display-name=writer",
    `--access-key=${WRITER_ACCESS_KEY}`,
    `--secret-key=${SECRET}`,
  );
  await makeRole(ceph);
  let sessions: Promise<S3Server> | undefined;
  const server: S3Server = {
    endpoint,
    accessKey: ACCESS_KEY,
    secret: SECRET,
    withSessions: () => {
      sessions ??= gateway(sessionsPort, "--rgw-s3-auth-use-sts=true").then((second) => ({
        ...server,
        endpoint: second,
      }));
      return sessions;
    },
  };
  return server;
}

async function makeRole(ceph: (...args: string[]) => Promise<string>): Promise<void> {
  const role = (...args: string[]) =>
    ceph("radosgw-admin", "role", ...args, "--role-name=uploader");
  const policy = (statement: object) =>
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
  const trust = policy({
    Principal: { AWS: ["arn:aws:iam:::user/test"] },
    Action: "sts:AssumeRole",
  });
  await role("create", "--path=/", `--assume-role-policy-doc=${trust}`);
  const allowed = policy({ Action: "s3:*", Resource: "arn:aws:s3:::*" });
  await role("policy", "put", "--policy-name=everything", `--policy-doc=${allowed}`);
}

async function makeKeyring(path: string): Promise<void> {
  const add = (...args: string[]) => run(["ceph-authtool", path, "--gen-key", ...args]);
  await run(["ceph-authtool", "--create-keyring", path]);
  await add("-n", "mon.", "--cap", "mon", "allow *");
  const all = ["mon", "osd", "mgr"].flatMap((service) => ["--cap", service, "allow *"]);
  await add("-n", "client.admin", ...all);
  await add("-n", "osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *");
}

async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: null, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${err}`);
  return out;
}

async function until(what: string, probe: () => Promise<unknown>): Promise<void> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await probe();
      return;
    } catch (cause) {
      if (Date.now() > deadlineMs) throw new Error(`${what} did not start`, { cause });
      await Bun.sleep(100);
    }
  }
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(async (server) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.listen(0, "127.0.0.1", resolve);
      await promise;
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : 0;
    }),
  );
  for (const server of servers) server.close();
  return ports;
}

function clusterConfig({
  folder,
  clusterId,
  monitorPort,
  memoryBytes,
}: {
  folder: string;
  clusterId: string;
  monitorPort: number;
  memoryBytes: number;
}): string {
  const settings: Record<string, string | number> = {
    fsid: clusterId,
    "mon host": `v2:127.0.0.1:${monitorPort}`,
    "public network": "127.0.0.0/8",
    "cluster network": "127.0.0.0/8",
    "public addr": "127.0.0.1",
    "auth allow insecure global id reclaim": "false",
    keyring: `${folder}/keyring`,
    "log file": `${folder}/log/$name.log`,
    "admin socket": `${folder}/run/$name.asok`,
    "run dir": `${folder}/run`,
    "pid file": `${folder}/run/$name.pid`,
    "mon data": `${folder}/mon`,
    "osd data": `${folder}/osd`,
    "crash dir": `${folder}/run`,
    "osd objectstore": "memstore",
    "memstore device bytes": memoryBytes,
    "osd pool default size": 1,
    "osd pool default min size": 1,
    "osd pool default pg num": 8,
    "osd pool default pgp num": 8,
    "osd pool default pg autoscale mode": "off",
    "mon allow pool size one": "true",
    "mon max pg per osd": 1000,
    "osd crush chooseleaf type": 0,
    "ms bind ipv6": "false",
    "ms bind msgr1": "false",
    "mon data avail warn": 1,
    "mon data avail crit": 1,
    "rgw data": `${folder}/rgw`,
    "rgw enable apis": "s3, sts, admin",
    "rgw run sync thread": "false",
    "rgw enable usage log": "false",
    // Virtual-host style: bucket.s3.test.
    "rgw dns name": DNS_NAME,
    // SSE-KMS with a key of the configuration's, over plain http: for tests only.
    "rgw crypt require ssl": "false",
    "rgw crypt s3 kms backend": "testing",
    "rgw crypt s3 kms encryption keys": `${KMS_KEY_ID}=${btoa("0123456789abcdef0123456789abcdef")}`,
    // Session credentials that end for real, soon enough for a test (sts-sessions.ts).
    "rgw sts key": "0123456789abcdef",
    "rgw sts min session duration": 1,
    // Deleted objects free their memory soon; the default is two hours.
    "rgw gc obj min wait": 5,
    "rgw gc processor period": 5,
    "osd max object name len": 256,
    "paxos propose interval": 0.05,
    "paxos min wait": 0.01,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return `[global]\n${lines.join("\n")}\n[mon.a]\nmon addr = 127.0.0.1:${monitorPort}\n`;
}
