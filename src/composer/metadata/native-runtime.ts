// Asks the container runtime over its CRI socket: CRIO_ENDPOINT's, else the first usual one that answers.
import { within } from "../../host/timer.ts";
import { CriClient } from "../../host/cri/client.ts";
import { GrpcError } from "../../host/grpc.ts";
import { inspectedPod, mainPidOf } from "./crictl-json.ts";
import { textAt, type JsonObject } from "../../model/json.ts";
import {
  inListOrder,
  POD_NAME_LABEL,
  POD_UID_LABEL,
  type ContainerDetail,
  type PodFilter,
  type Runtime,
} from "./runtime.ts";
import { describeError } from "../../model/app-error.ts";
import {
  candidateSockets,
  parseRuntimeEndpoint,
  USUAL_SOCKETS,
} from "../../model/runtime-socket.ts";

/**
 * How much of an answer is kept. A pod has at most 256 KiB of annotations (Kubernetes, TotalAnnotationSizeLimitB); its
 * containers may have megabytes of environment. Each byte of an answer takes several bytes of memory until it is an
 * entry of the zip.
 */
const LIMITS = { fieldMaxBytes: 272 * 2 ** 10, totalMaxBytes: 300 * 2 ** 10 };

/** The entry that is cut when an answer is, by method. */
const CUT_ENTRIES: Record<string, string> = {
  ListPodSandbox: "pod-info.json",
  PodSandboxStatus: "runtime-info.json",
  ListContainers: "ps-info.json",
  ImageStatus: "image-info.json",
};

/**
 * Connects to the first socket that speaks CRI v1. A socket that hangs gets half of the remaining time. A socket that
 * the owner named and that does not answer, while another one does, becomes a complaint. Where none answers, throws one
 * Error with the failure of each.
 */
export async function openNativeRuntime(
  endpoint: string,
  { deadlineMs, signal, complaints, record }: NativeRuntimeContext,
  candidates: readonly string[] = candidateSockets(endpoint),
): Promise<Runtime> {
  const onCut = (method: string) => {
    const entry = CUT_ENTRIES[method];
    // The answer arrived in many pieces, which are garbage now.
    Bun.gc(true);
    if (entry !== undefined) record(entry, `the runtime's answer is too long: its end is left out`);
  };
  const refusals: string[] = [];
  const named = parseRuntimeEndpoint(endpoint);
  for (const path of candidates) {
    const limits = { answer: LIMITS, list: LIMITS };
    const client = new CriClient(path, { signal, limits, onCut });
    try {
      const version = await within(client.version(), (deadlineMs - Date.now()) / 2, noAnswer);
      // The default stands for any socket.
      if (named !== "" && named !== path && named !== USUAL_SOCKETS[0])
        complaints.push(`CRIO_ENDPOINT: ${path} answers, and not ${refusals[0] ?? named}`);
      return new NativeRuntime(client, `${version} on ${path}`);
    } catch (error) {
      client.close();
      refusals.push(`${path}: ${describeError(error)}`);
    }
  }
  throw new Error(`no container runtime answered: ${refusals.join("; ")}`);
}

/** What the runtime's side needs. */
export interface NativeRuntimeContext {
  deadlineMs: number;
  signal: AbortSignal;
  complaints: string[];
  /** Called for each piece that is cut, with the reason. */
  record: (label: string, why: string) => void;
}

function noAnswer(): never {
  throw new Error("no answer in time");
}

class NativeRuntime implements Runtime {
  readonly name: string;
  private readonly client: CriClient;

  constructor(client: CriClient, name: string) {
    this.client = client;
    this.name = name;
  }

  async podIdOf(containerId: string): Promise<string | null> {
    const container = await this.client.container(containerId);
    return container === null ? null : textAt(container, "podSandboxId");
  }

  async pods(filter: PodFilter): Promise<JsonObject[]> {
    if ("id" in filter) return this.client.pods({ id: filter.id });
    if ("uid" in filter)
      return this.client.pods({ labelSelector: { [POD_UID_LABEL]: filter.uid } });
    // CRI has no filter by name; the kubelet's label serves as one.
    return this.client.pods({ labelSelector: { [POD_NAME_LABEL]: filter.name } });
  }

  async inspectPod(podId: string): Promise<JsonObject> {
    return inspectedPod(await this.client.podStatus(podId));
  }

  listed(containerId: string): Promise<JsonObject | null> {
    return this.client.container(containerId);
  }

  async containers(podId: string): Promise<JsonObject[]> {
    return inListOrder(await this.client.containersOf(podId));
  }

  async image(container: JsonObject): Promise<JsonObject | null> {
    const reference =
      textAt(container, "imageId") ||
      textAt(container, "imageRef") ||
      textAt(container, "image", "image");
    return this.client.image(reference);
  }

  async container(
    containerId: string,
    { wantsPid }: { wantsPid: boolean },
  ): Promise<ContainerDetail> {
    const response = await this.containerStatus(containerId, wantsPid);
    return { logPath: textAt(response, "status", "logPath"), pid: mainPidOf(response) };
  }

  /**
   * Asks for the verbose info only where it is needed, because it holds the environment twice. Asks again without it
   * where the answer is too long for the runtime itself.
   */
  private async containerStatus(containerId: string, verbose: boolean): Promise<JsonObject> {
    if (!verbose) return this.client.containerStatus(containerId, { verbose });
    try {
      return await this.client.containerStatus(containerId, { verbose: true });
    } catch (error) {
      if (!(error instanceof GrpcError) || !error.isTooLong) throw error;
      return this.client.containerStatus(containerId, { verbose: false });
    }
  }

  /** CRI has no way to read a log but its file. */
  logs(): Promise<null> {
    return Promise.resolve(null);
  }

  close(): void {
    this.client.close();
  }
}
