// CRI v1 as the composer uses it: typed questions to the container runtime on one socket.
// Read-only calls; nothing here starts, stops or changes a container.
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageShape,
} from "@bufbuild/protobuf";
import { GrpcConnection, GrpcError, GRPC_NOT_FOUND } from "../../../host/grpc.ts";
import * as cri from "./generated/cri_pb.js";

const RUNTIME = "RuntimeService";
const IMAGES = "ImageService";

/** Fields of a newer runtime are passed over, not kept. */
const READ_OPTIONS = { readUnknownFields: false };

export class CriClient {
  readonly #connection: GrpcConnection;

  constructor(socketPath: string, signal: AbortSignal) {
    this.#connection = new GrpcConnection(socketPath, signal);
  }

  /** The runtime's name and version; also the proof that it speaks CRI v1. */
  async version(): Promise<cri.VersionResponse> {
    const request = create(cri.VersionRequestSchema, { version: "v1" });
    return this.#call(
      RUNTIME,
      "Version",
      cri.VersionRequestSchema,
      request,
      cri.VersionResponseSchema,
    );
  }

  /** The container of exactly this id, or null. */
  async container(id: string): Promise<cri.Container | null> {
    const found = await this.#listContainers({ id });
    return found.find((container) => container.id === id) ?? null;
  }

  /** A pod's containers in any state, newest first as crictl lists them. */
  async containersOf(podId: string): Promise<cri.Container[]> {
    const found = await this.#listContainers({ podSandboxId: podId });
    return found
      .filter((container) => container.podSandboxId === podId)
      .sort((a, b) => Number(b.createdAt - a.createdAt));
  }

  async #listContainers(filter: { id?: string; podSandboxId?: string }): Promise<cri.Container[]> {
    const request = create(cri.ListContainersRequestSchema, { filter });
    const response = await this.#call(
      RUNTIME,
      "ListContainers",
      cri.ListContainersRequestSchema,
      request,
      cri.ListContainersResponseSchema,
    );
    return response.containers;
  }

  /** Where the container's log is, and with verbose what the runtime tells besides (its `info`). */
  async containerStatus(id: string): Promise<cri.ContainerStatusResponse> {
    const request = create(cri.ContainerStatusRequestSchema, { containerId: id, verbose: true });
    return this.#call(
      RUNTIME,
      "ContainerStatus",
      cri.ContainerStatusRequestSchema,
      request,
      cri.ContainerStatusResponseSchema,
    );
  }

  /** Pods by the id of their sandbox or by labels; without a filter, every pod of the node. */
  async pods(filter: {
    id?: string;
    labelSelector?: Record<string, string>;
  }): Promise<cri.PodSandbox[]> {
    const request = create(cri.ListPodSandboxRequestSchema, { filter });
    const response = await this.#call(
      RUNTIME,
      "ListPodSandbox",
      cri.ListPodSandboxRequestSchema,
      request,
      cri.ListPodSandboxResponseSchema,
    );
    return response.items;
  }

  async podStatus(id: string): Promise<cri.PodSandboxStatusResponse> {
    const request = create(cri.PodSandboxStatusRequestSchema, { podSandboxId: id, verbose: true });
    return this.#call(
      RUNTIME,
      "PodSandboxStatus",
      cri.PodSandboxStatusRequestSchema,
      request,
      cri.PodSandboxStatusResponseSchema,
    );
  }

  /** The image of a reference (id, digest or tag), or null when the runtime has it no longer. */
  async image(reference: string): Promise<cri.Image | null> {
    const request = create(cri.ImageStatusRequestSchema, { image: { image: reference } });
    const response = await this.#call(
      IMAGES,
      "ImageStatus",
      cri.ImageStatusRequestSchema,
      request,
      cri.ImageStatusResponseSchema,
    );
    return response.image ?? null;
  }

  close(): void {
    this.#connection.close();
  }

  async #call<Q extends DescMessage, R extends DescMessage>(
    service: string,
    method: string,
    requestSchema: Q,
    request: MessageShape<Q>,
    responseSchema: R,
  ): Promise<MessageShape<R>> {
    const answer = await this.#connection.call(service, method, toBinary(requestSchema, request));
    return fromBinary(responseSchema, answer, READ_OPTIONS);
  }
}

/** True for the runtime's "there is no such container (or pod)". */
export function isNotFound(error: unknown): boolean {
  return error instanceof GrpcError && error.status === GRPC_NOT_FOUND;
}
