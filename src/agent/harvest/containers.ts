// Lists the node's containers with containerd's help: where the /tmp of each is, and how it ended. Asks at every
// refresh, and describes each container once.
import { GrpcError } from "../../host/grpc.ts";
import { CriClient } from "../../host/cri/client.ts";
import { AppError, describeError } from "../../model/app-error.ts";
import { at, isObject, textAt, textMapAt, type Json, type JsonObject } from "../../model/json.ts";
import { candidateSockets } from "../../model/runtime-socket.ts";
import {
  parseCoreLimits,
  parseLayerPlace,
  parseMountPlace,
  type CoreLimits,
  type Place,
} from "./container-place.ts";
import { judgeVolume } from "./volume.ts";

/** A container that the harvest knows. */
export interface ContainerRecord {
  id: string;
  namespace: string;
  podname: string;
  name: string;
  place: Place;
  /** The directories that the container's root is put together from, the topmost first; empty where that is not known. */
  layers: readonly string[];
  limits: CoreLimits;
  /** Pod and container as the runtime lists them, kept because they may have ended when their core is zipped. */
  pod: JsonObject | null;
  container: JsonObject;
  /** How the container ended; undefined while it runs. */
  exit: ContainerExit | undefined;
}

/** How a container ended. */
export interface ContainerExit {
  exitCode: number;
  finishedMs: number;
}

/** What changed since the last refresh. */
export interface ContainerChanges {
  added: ContainerRecord[];
  exited: ContainerRecord[];
  gone: ContainerRecord[];
}

const ANSWER_MS = 10_000;
/**
 * How much of an answer is kept. The beginning of a list's item has its names and state; the annotations follow, which
 * a tenant can make long.
 */
const LIMITS = {
  list: { fieldMaxBytes: 16 * 2 ** 10, totalMaxBytes: 16 * 2 ** 20 },
  answer: { fieldMaxBytes: 4 * 2 ** 20, totalMaxBytes: 4 * 2 ** 20 },
};
const EXITED = "CONTAINER_EXITED";

/** The containers of one node. */
export class Containers {
  private readonly endpoint: string;
  private readonly records = new Map<string, ContainerRecord>();
  private listedIds: readonly string[] | undefined;
  /** The directory whose names are the ids of the running containers; known after the first refresh. */
  tasksDir: string | undefined;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  /** The ids of all containers at the last refresh; undefined before the first. */
  get ids(): readonly string[] | undefined {
    return this.listedIds;
  }

  /**
   * Asks containerd again and returns the changes. Throws AppError "host" where no runtime answers or it is not
   * containerd.
   */
  async refresh(signal: AbortSignal): Promise<ContainerChanges> {
    const { client, socket } = await openContainerd(this.endpoint, signal);
    try {
      this.tasksDir ??= await findTasksDir(client, socket);
      const listed = await client.containers();
      const added = await this.describeNew(client, listed);
      const exited = await this.findExited(client, listed);
      this.listedIds = listed.map((container) => textAt(container, "id"));
      const ids = new Set(this.listedIds);
      const gone = [...this.records.values()].filter(({ id }) => !ids.has(id));
      for (const { id } of gone) this.records.delete(id);
      return { added, exited, gone };
    } finally {
      client.close();
    }
  }

  private async describeNew(
    client: CriClient,
    listed: readonly JsonObject[],
  ): Promise<ContainerRecord[]> {
    const fresh = listed.filter((container) => !this.records.has(textAt(container, "id")));
    if (fresh.length === 0) return [];
    const pods = new Map((await client.pods({})).map((pod) => [textAt(pod, "id"), pod]));
    const added: ContainerRecord[] = [];
    for (const container of fresh) {
      const pod = pods.get(textAt(container, "podSandboxId")) ?? null;
      const record = await describe(client, container, pod);
      if (record === undefined) continue;
      this.records.set(record.id, record);
      added.push(record);
    }
    return added;
  }

  private async findExited(
    client: CriClient,
    listed: readonly JsonObject[],
  ): Promise<ContainerRecord[]> {
    const exited: ContainerRecord[] = [];
    for (const container of listed) {
      const record = this.records.get(textAt(container, "id"));
      if (record === undefined || record.exit !== undefined || container["state"] !== EXITED)
        continue;
      const response = await unlessGone(() =>
        client.containerStatus(record.id, { verbose: false }),
      );
      if (response === undefined) continue;
      const exitCode = at(response, "status", "exitCode");
      const finishedNs = BigInt(textAt(response, "status", "finishedAt") || "0");
      record.exit = {
        exitCode: typeof exitCode === "number" ? exitCode : 0,
        finishedMs: Number(finishedNs / 1_000_000n),
      };
      exited.push(record);
    }
    return exited;
  }
}

/** Connects to the first socket that answers. Throws AppError "host" where that is not containerd's. */
export async function openContainerd(
  endpoint: string,
  signal: AbortSignal,
): Promise<{ client: CriClient; socket: string }> {
  const refusals: string[] = [];
  for (const socket of candidateSockets(endpoint)) {
    const client = new CriClient(socket, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      limits: LIMITS,
    });
    try {
      const version = await client.version();
      if (version.startsWith("containerd ")) return { client, socket };
      client.close();
      throw new AppError("host", `file capture needs containerd, and ${socket} is ${version}'s`, {
        hint: "use CAPTURE_MODE pipe or socket on this node",
      });
    } catch (error) {
      client.close();
      if (error instanceof AppError) throw error;
      refusals.push(`${socket}: ${describeError(error)}`);
    }
  }
  throw new AppError("host", `no container runtime answered: ${refusals.join("; ")}`, {
    hint: "set CRIO_ENDPOINT to containerd's socket, and mount its directory into the agent's pod; COMP_IGNORE_CRIO=true on a host without containers",
  });
}

/** Returns containerd's directory of running tasks, beside the state of its CRI plugin, else beside its socket. */
async function findTasksDir(client: CriClient, socket: string): Promise<string> {
  const status = await unlessGone(() => client.status());
  const config = parseInfo(textMapAt(status, "info")["config"]);
  const stateDir = textAt(config, "stateDir") || `${socket.replace(/\/[^/]*$/, "")}/x`;
  return `${stateDir.replace(/\/[^/]*$/, "")}/io.containerd.runtime.v2.task/k8s.io`;
}

/** Describes a container; undefined where it no longer exists. */
async function describe(
  client: CriClient,
  container: JsonObject,
  pod: JsonObject | null,
): Promise<ContainerRecord | undefined> {
  const id = textAt(container, "id");
  const response = await unlessGone(() => verboseStatus(client, id));
  if (response === undefined) return undefined;
  const info = parseInfo(textMapAt(response, "info")["info"]);
  const spec = at(info, "runtimeSpec");
  const volume = parseMountPlace(spec);
  const root = await findLayer(client, info);
  const place = volume === undefined ? root : await judgeVolume(volume);
  const labels = textMapAt(container, "labels");
  return {
    id,
    namespace: labels["io.kubernetes.pod.namespace"] ?? textAt(pod, "metadata", "namespace"),
    podname: labels["io.kubernetes.pod.name"] ?? textAt(pod, "metadata", "name"),
    name: textAt(container, "metadata", "name"),
    place,
    layers: root.kind === "layer" ? [root.upperDir, ...root.lowerDirs] : [],
    limits: parseCoreLimits(spec),
    pod,
    container,
    exit: undefined,
  };
}

/**
 * Asks for the verbose status, and without it where containerd refuses it for its length. The container's place is
 * unknown then, and the harvest logs that.
 */
async function verboseStatus(client: CriClient, id: string): Promise<JsonObject> {
  try {
    return await client.containerStatus(id, { verbose: true });
  } catch (error) {
    if (!(error instanceof GrpcError) || !error.isTooLong) throw error;
    return client.containerStatus(id, { verbose: false });
  }
}

async function findLayer(client: CriClient, info: Json): Promise<Place> {
  try {
    const [snapshotter, key] = [textAt(info, "snapshotter"), textAt(info, "snapshotKey")];
    return parseLayerPlace(await client.snapshotMounts(snapshotter, key));
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    return { kind: "none", why: `containerd does not tell its mounts: ${error.message}` };
  }
}

async function unlessGone<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    // The container ended between two calls: NotFound, or Unknown in containerd 1.6.
    if (error instanceof GrpcError) return undefined;
    throw error;
  }
}

function parseInfo(text: string | undefined): Json {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return isObject(value as Json) ? (value as Json) : null;
  } catch {
    return null; // another runtime's, or another version's: what it does not tell is not known
  }
}
