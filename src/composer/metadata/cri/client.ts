// CRI v1 as the composer uses it: questions to the container runtime on one socket, answered in crictl's
// JSON. Read-only calls; nothing here starts, stops or changes a container.
import { isObject, objectsAt, textAt, type JsonObject } from "../json.ts";
import { decodeMessage, encodeMessage, type MessageName } from "./codec.ts";
import { GrpcConnection } from "../../../host/grpc.ts";

type Service = "RuntimeService" | "ImageService";
/** Methods whose request and response are both in cri.proto. */
type Method = {
  [Name in MessageName]: Name extends `${infer M}Request`
    ? `${M}Response` extends MessageName
      ? M
      : never
    : never;
}[MessageName];

export class CriClient {
  readonly #connection: GrpcConnection;

  constructor(socketPath: string, signal: AbortSignal) {
    this.#connection = new GrpcConnection(socketPath, signal);
  }

  /** The runtime's name and version as one text; also the proof that it speaks CRI v1. */
  async version(): Promise<string> {
    const answer = await this.#call("RuntimeService", "Version", { version: "v1" });
    return `${textAt(answer, "runtimeName")} ${textAt(answer, "runtimeVersion")}`;
  }

  /** The container of exactly this id, or null. */
  async container(id: string): Promise<JsonObject | null> {
    const found = await this.#listContainers({ id });
    return found.find((container) => textAt(container, "id") === id) ?? null;
  }

  /** A pod's containers, in any state and order. */
  async containersOf(podId: string): Promise<JsonObject[]> {
    const found = await this.#listContainers({ podSandboxId: podId });
    return found.filter((container) => textAt(container, "podSandboxId") === podId);
  }

  async #listContainers(filter: JsonObject): Promise<JsonObject[]> {
    return objectsAt(
      await this.#call("RuntimeService", "ListContainers", { filter }),
      "containers",
    );
  }

  /** `{status, info}`: where the log is, and what the runtime tells besides. */
  containerStatus(id: string): Promise<JsonObject> {
    return this.#call("RuntimeService", "ContainerStatus", { containerId: id, verbose: true });
  }

  /** Pods by their sandbox's id or by labels; with an empty filter, every pod of the node. */
  async pods(filter: { id?: string; labelSelector?: JsonObject }): Promise<JsonObject[]> {
    return objectsAt(await this.#call("RuntimeService", "ListPodSandbox", { filter }), "items");
  }

  /** `{status, info}` of a pod. */
  podStatus(id: string): Promise<JsonObject> {
    return this.#call("RuntimeService", "PodSandboxStatus", { podSandboxId: id, verbose: true });
  }

  /** The image of a reference (id, digest or tag), or null when the runtime has it no longer. */
  async image(reference: string): Promise<JsonObject | null> {
    const request = { image: { image: reference } };
    const { image } = await this.#call("ImageService", "ImageStatus", request);
    return isObject(image) ? image : null;
  }

  close(): void {
    this.#connection.close();
  }

  async #call(service: Service, method: Method, request: JsonObject): Promise<JsonObject> {
    const bytes = encodeMessage(`${method}Request`, request);
    const answer = await this.#connection.call(service, method, bytes);
    return decodeMessage(`${method}Response`, answer);
  }
}
