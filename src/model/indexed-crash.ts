// One crash as the index knows it: as much as lists and pages show without opening a dump.
import type { KnownInfo } from "./dump-info.ts";

/** A crash. Texts may be cut; null is unknown. */
export interface IndexedCrash {
  timeSeconds: number;
  bug: string | null;
  title: string | null;
  exe: string | null;
  /** The signal's name, else its number. */
  signal: string | null;
  namespace: string | null;
  image: string | null;
  pod: string | null;
  container: string | null;
  node: string | null;
  coreComplete: boolean | null;
  coreBytes: number | null;
  zipBytes: number;
  /** The dump's key in the store; "" where it is too long to stand in the index. */
  key: string;
}

/** Returns what a dump-info tells, of a dump at `key`. `nowSeconds` stands for a time that it does not tell. */
export function indexedCrash(
  info: KnownInfo,
  { key, zipBytes, nowSeconds }: { key: string; zipBytes: number; nowSeconds: number },
): IndexedCrash {
  const seconds = Math.floor(Number(info.timestamp ?? ""));
  const isSane = seconds > 0 && seconds < 8e9;
  return {
    timeSeconds: isSane ? seconds : Math.floor(nowSeconds),
    bug: /^[0-9a-f]{16}$/.test(info.bug ?? "") ? (info.bug ?? null) : null,
    title: info.title || null,
    exe: info.exe || null,
    signal: info.signal_name || info.signal || null,
    namespace: info.namespace || null,
    image: info.image || null,
    pod: info.podname || null,
    container: info.container_name || null,
    node: info.node_hostname || null,
    coreComplete: info.core_complete ?? null,
    coreBytes: info.core_bytes ?? null,
    zipBytes,
    key,
  };
}

/** Returns the keys of a dump-info that the index knows. */
export function infoOf(crash: IndexedCrash): KnownInfo {
  return {
    timestamp: String(crash.timeSeconds),
    exe: crash.exe ?? "",
    signal: crash.signal ?? "",
    signal_name: crash.signal,
    namespace: crash.namespace,
    podname: crash.pod,
    container_name: crash.container,
    node_hostname: crash.node ?? "",
    image: crash.image,
    title: crash.title,
    bug: crash.bug,
    core_complete: crash.coreComplete,
    ...(crash.coreBytes === null ? {} : { core_bytes: crash.coreBytes }),
  };
}

type Texts = "title" | "exe" | "signal" | "namespace" | "image" | "pod" | "container" | "node";
type Read = Omit<IndexedCrash, Texts> & Readonly<Record<Texts, string | undefined>>;

/** Makes unknown texts null. */
export function withoutBlanks(read: Read): IndexedCrash {
  const { title, exe, signal, namespace, image, pod, container, node } = read;
  return {
    ...read,
    title: title || null,
    exe: exe || null,
    signal: signal || null,
    namespace: namespace || null,
    image: image || null,
    pod: pod || null,
    container: container || null,
    node: node || null,
  };
}
