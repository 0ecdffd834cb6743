// The container runtime asked over its CRI socket: CRIO_ENDPOINT's, else the first usual one that answers.
import { CriClient } from "../../host/cri/client.ts";
import { inspectedPod, mainPidOf } from "./crictl-json.ts";
import { textAt, type JsonObject } from "../../model/json.ts";
import {
  inListOrder,
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

interface Opening {
  deadlineMs: number;
  signal: AbortSignal;
  complaints: string[];
}

/**
 * Connects to the first socket that speaks CRI v1. A socket that hangs gets half of the time left. One that was named
 * and does not answer, while another does, is a complaint. Throws one error that names what each of them said.
 */
export async function openNativeRuntime(
  endpoint: string,
  { deadlineMs, signal, complaints }: Opening,
  candidates: readonly string[] = candidateSockets(endpoint),
): Promise<Runtime> {
  const refusals: string[] = [];
  const named = parseRuntimeEndpoint(endpoint);
  for (const path of candidates) {
    const client = new CriClient(path, signal);
    try {
      const version = await within((deadlineMs - Date.now()) / 2, client.version());
      // The default stands for "wherever it is".
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

async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), Math.max(0, timeoutMs));
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

class NativeRuntime implements Runtime {
  readonly name: string;
  readonly #client: CriClient;

  constructor(client: CriClient, name: string) {
    this.#client = client;
    this.name = name;
  }

  async podIdOf(containerId: string): Promise<string | null> {
    const container = await this.#client.container(containerId);
    return container === null ? null : textAt(container, "podSandboxId");
  }

  async pods(filter: PodFilter): Promise<JsonObject[]> {
    if ("id" in filter) return this.#client.pods({ id: filter.id });
    if ("uid" in filter)
      return this.#client.pods({ labelSelector: { [POD_UID_LABEL]: filter.uid } });
    // CRI has no filter by name.
    return this.#client.pods({});
  }

  async inspectPod(podId: string): Promise<JsonObject> {
    return inspectedPod(await this.#client.podStatus(podId));
  }

  async containers(podId: string): Promise<JsonObject[]> {
    return inListOrder(await this.#client.containersOf(podId));
  }

  async image(container: JsonObject): Promise<JsonObject | null> {
    const reference =
      textAt(container, "imageId") ||
      textAt(container, "imageRef") ||
      textAt(container, "image", "image");
    return this.#client.image(reference);
  }

  async container(containerId: string): Promise<ContainerDetail> {
    const response = await this.#client.containerStatus(containerId);
    return { logPath: textAt(response, "status", "logPath"), pid: mainPidOf(response) };
  }

  /** The log file is all there is. */
  logs(): Promise<null> {
    return Promise.resolve(null);
  }

  close(): void {
    this.#client.close();
  }
}
