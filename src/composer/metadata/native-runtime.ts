// The container runtime asked over its CRI socket: CRIO_ENDPOINT's, else the first usual one that answers.
import { CriClient } from "./cri/client.ts";
import { containerJson, imageJson, infoValue, podJson, podStatusJson } from "./cri/crictl-json.ts";
import { at, textAt, type JsonObject } from "./json.ts";
import {
  inListOrder,
  POD_UID_LABEL,
  type ContainerDetail,
  type PodFilter,
  type Runtime,
} from "./runtime.ts";
import { describeError } from "../../model/app-error.ts";
import { candidateSockets } from "../../model/runtime-socket.ts";

/**
 * Connects to the first socket that speaks CRI v1. A socket that hangs gets half of the time left.
 * Throws one error that names what each of them said.
 */
export async function openNativeRuntime(
  endpoint: string,
  { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal },
): Promise<Runtime> {
  const refusals: string[] = [];
  for (const path of candidateSockets(endpoint)) {
    const client = new CriClient(path, signal);
    try {
      const { runtimeName, runtimeVersion } = await within(
        (deadlineMs - Date.now()) / 2,
        client.version(),
      );
      return new NativeRuntime(client, `${runtimeName} ${runtimeVersion} on ${path}`);
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
    return container?.podSandboxId ?? null;
  }

  async pods(filter: PodFilter): Promise<JsonObject[]> {
    // CRI has no filter by name.
    const criFilter =
      "id" in filter
        ? { id: filter.id }
        : "uid" in filter
          ? { labelSelector: { [POD_UID_LABEL]: filter.uid } }
          : {};
    const pods = await this.#client.pods(criFilter);
    return pods.map(podJson);
  }

  async inspectPod(podId: string): Promise<JsonObject> {
    return podStatusJson(await this.#client.podStatus(podId));
  }

  async containers(podId: string): Promise<JsonObject[]> {
    return inListOrder((await this.#client.containersOf(podId)).map(containerJson));
  }

  async image(container: JsonObject): Promise<JsonObject | null> {
    const reference =
      textAt(container, "imageId") ||
      textAt(container, "imageRef") ||
      textAt(container, "image", "image");
    const image = await this.#client.image(reference);
    return image === null ? null : imageJson(image);
  }

  async container(containerId: string): Promise<ContainerDetail> {
    const { status, info } = await this.#client.containerStatus(containerId);
    const pid = at(infoValue(info["info"] ?? ""), "pid");
    return { logPath: status?.logPath ?? "", pid: typeof pid === "number" ? pid : null };
  }

  /** The log file is all there is. */
  logs(): Promise<null> {
    return Promise.resolve(null);
  }

  close(): void {
    this.#client.close();
  }
}
