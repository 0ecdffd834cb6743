// Crashes as a fleet has them, made up by a seed: few bugs come often, most rarely; a bug has its program, its
// namespaces and a few images, of which the newest is a day old.
import type { IndexedCrash } from "../../src/model/indexed-crash.ts";

export interface Fleet {
  crashes: number;
  bugs: number;
  days: number;
  nodes: number;
  /** When the last crash is, in seconds since the epoch. */
  endSeconds: number;
  /** Names of less than 200 bytes: the OSD of the tests' radosgw keeps objects in memory and takes no longer ones. */
  hasShortNames?: boolean;
}

/** Yields the crashes. */
export function* manyCrashes({
  crashes,
  bugs,
  days,
  nodes,
  endSeconds,
  hasShortNames = false,
}: Fleet): Generator<IndexedCrash> {
  let state = 42;
  const random = () => {
    // Lehmer's generator: the same crashes every time.
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  for (let index = 0; index < crashes; index++) {
    const bug = index < bugs ? index : Math.floor(bugs * random() ** 3);
    const age = Math.floor(random() * days * 86_400);
    const app = `app-${bug % 80}`;
    const isNew = age < 86_400 && bug % 3 === 0;
    const time = endSeconds - age;
    const pod = `${app}-${(bug * 7919).toString(36)}-${index.toString(36).padStart(5, "0")}`;
    const place = hasShortNames ? "" : ".eu-west-1.example.com";
    const node = `node-${Math.floor(random() * nodes)}${place}`;
    const uuid = `${index.toString(16).padStart(8, "0")}-0000-4000-8000-${bug.toString(16).padStart(12, "0")}`;
    yield {
      timeSeconds: time,
      bug: ((BigInt(bug + 1) * 0x9e3779b97f4a7c15n) % (1n << 64n)).toString(16).padStart(16, "0"),
      title: hasShortNames
        ? `SIGSEGV in h${bug} ← main`
        : `${bug % 4 === 0 ? "SIGABRT: assertion failed" : "SIGSEGV"} in handle_${bug} ← serve_request ← main (${app})`,
      exe: app.slice(0, 15),
      signal: bug % 4 === 0 ? "SIGABRT" : "SIGSEGV",
      namespace: `team-${(bug + (index % 3)) % 40}`,
      image: hasShortNames
        ? `${app}:1.${isNew ? 9 : 7 + (index % 2)}`
        : `${app}:1.${isNew ? 9 : 7 + (index % 2)}@sha256:${(bug * 31 + (isNew ? 9 : index % 2)).toString(16).padStart(12, "0")}`,
      pod,
      container: "server",
      node,
      coreComplete: index % 50 !== 0,
      coreBytes: 50_000_000 + (index % 1000) * 10_000,
      zipBytes: 5_000_000 + (index % 1000) * 1000,
      key: hasShortNames
        ? `${index.toString(16)}.zip`
        : `${uuid}-dump-${time}-${pod}-${app}-7-${bug % 4 === 0 ? 6 : 11}.zip`,
    };
  }
}
