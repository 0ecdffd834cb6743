// A client of CRI v1 for composer and agent. Asks the container runtime on one socket and returns crictl's JSON; asks
// containerd also where a snapshot lies. All calls only read.
import { isObject, objectsAt, textAt, type JsonObject } from "../../model/json.ts";
import { encodeMessage, type MessageName } from "./codec.ts";
import { GrpcConnection } from "../grpc.ts";
import { MessageReader, type AnswerLimits } from "./message-reader.ts";

const RUNTIME = "runtime.v1.RuntimeService";
const IMAGES = "runtime.v1.ImageService";
/** containerd's API, which CRI-O and cri-dockerd do not have (api/services/snapshots/v1). */
const SNAPSHOTS = "containerd.services.snapshots.v1.Snapshots";
/** The containerd namespace of everything that belongs to CRI. */
const KUBERNETES = { "containerd-namespace": "k8s.io" };
/** Methods whose request and response are both in cri.proto. */
type Method = {
  [Name in MessageName]: Name extends `${infer M}Request`
    ? `${M}Response` extends MessageName
      ? M
      : never
    : never;
}[MessageName];

/** How a client is made. */
export interface CriClientOptions {
  signal: AbortSignal;
  /** How much of an answer is kept. A list is an answer that holds all containers or pods of the node. */
  limits: { answer: AnswerLimits; list: AnswerLimits };
  /** Called with the method where an answer was longer than that. */
  onCut?: (method: string) => void;
}

/**
 * Asks one runtime. Every method rejects with GrpcError where the runtime refuses, and with Error where the connection
 * fails.
 */
export class CriClient {
  private readonly connection: GrpcConnection;
  private readonly options: CriClientOptions;

  constructor(socketPath: string, options: CriClientOptions) {
    this.connection = new GrpcConnection(socketPath, options.signal);
    this.options = options;
  }

  /** Returns the runtime's name and version as one text, which also proves that it speaks CRI v1. */
  async version(): Promise<string> {
    const answer = await this.call(RUNTIME, "Version", { version: "v1" });
    return `${textAt(answer, "runtimeName")} ${textAt(answer, "runtimeVersion")}`;
  }

  /** Returns the container with exactly this id, or null. */
  async container(id: string): Promise<JsonObject | null> {
    const found = await this.listContainers({ id });
    return found.find((container) => textAt(container, "id") === id) ?? null;
  }

  /** Returns a pod's containers, in any state and order. */
  async containersOf(podId: string): Promise<JsonObject[]> {
    const found = await this.listContainers({ podSandboxId: podId });
    return found.filter((container) => textAt(container, "podSandboxId") === podId);
  }

  /** Returns every container of the node, in any state. */
  containers(): Promise<JsonObject[]> {
    return this.listContainers({});
  }

  private async listContainers(filter: JsonObject): Promise<JsonObject[]> {
    return objectsAt(await this.call(RUNTIME, "ListContainers", { filter }), "containers");
  }

  /**
   * Returns `{status, info}`: the log's place and how the container ended; with `verbose` also the runtime's own
   * details.
   */
  containerStatus(id: string, { verbose }: { verbose: boolean }): Promise<JsonObject> {
    return this.call(RUNTIME, "ContainerStatus", { containerId: id, verbose });
  }

  /** Returns pods by their sandbox's id or by labels; every pod of the node for an empty filter. */
  async pods(filter: { id?: string; labelSelector?: JsonObject }): Promise<JsonObject[]> {
    return objectsAt(await this.call(RUNTIME, "ListPodSandbox", { filter }), "items");
  }

  /** Returns `{status, info}` of a pod. */
  podStatus(id: string): Promise<JsonObject> {
    return this.call(RUNTIME, "PodSandboxStatus", { podSandboxId: id, verbose: true });
  }

  /** Returns the image of a reference (id, digest or tag), or null when the runtime no longer has it. */
  async image(reference: string): Promise<JsonObject | null> {
    const request = { image: { image: reference } };
    const { image } = await this.call(IMAGES, "ImageStatus", request);
    return isObject(image) ? image : null;
  }

  /** Returns `{status, info}` of the runtime itself; its configuration is in the info. */
  status(): Promise<JsonObject> {
    return this.call(RUNTIME, "Status", { verbose: true });
  }

  /** Returns how containerd mounts a container's root, as `{type, source, options}`. Rejects on other runtimes. */
  async snapshotMounts(snapshotter: string, key: string): Promise<JsonObject[]> {
    const request = { snapshotter, key };
    return objectsAt(await this.call(SNAPSHOTS, "Mounts", request, KUBERNETES), "mounts");
  }

  close(): void {
    this.connection.close();
  }

  private async call(
    service: string,
    method: Method,
    request: JsonObject,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<JsonObject> {
    const { limits, onCut } = this.options;
    const bytes = encodeMessage(`${method}Request`, request);
    const kept = method.startsWith("List") ? limits.list : limits.answer;
    const reader = new MessageReader(`${method}Response`, kept);
    await this.connection.call(service, method, bytes, (piece) => reader.push(piece), metadata);
    if (reader.isCut) onCut?.(method);
    return reader.finish();
  }
}
