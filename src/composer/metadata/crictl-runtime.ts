// Asks the container runtime through the node's crictl, with the arguments of docs/contract.md, section 8.
import type { Kept } from "../../host/bounded-stream.ts";
import { crictlPath, findCrictl, runCrictl } from "./crictl-command.ts";
import { closeJson } from "../../model/json-prefix.ts";
import {
  at,
  isObject,
  objectsAt,
  textAt,
  textsAt,
  type Json,
  type JsonObject,
} from "../../model/json.ts";
import {
  inListOrder,
  POD_UID_LABEL,
  type ContainerDetail,
  type PodFilter,
  type Runtime,
} from "./runtime.ts";

/** How crictl is run. */
export interface CrictlOptions {
  /** The folder of crictl.yaml, and of crictl itself where the agent deployed it. */
  hostDir: string;
  /** Whether to pass HOST_DIR/crictl.yaml (DEPLOY_CRIO_CONFIG). */
  useConfig: boolean;
  imageCommand: "img" | "images";
  signal: AbortSignal;
  /** Called for each piece that is cut, with the reason. */
  record: (label: string, why: string) => void;
}

/** Opens the runtime. Throws when the node has no crictl; the first question shows whether crictl works. */
export function openCrictlRuntime(options: CrictlOptions): Runtime {
  findCrictl(crictlPath(options.hostDir));
  return new CrictlRuntime(options);
}

class CrictlRuntime implements Runtime {
  readonly name = "crictl";
  private readonly options: CrictlOptions;
  private readonly inspected = new Map<string, JsonObject>();
  private images: JsonObject[] | undefined;
  private imagesCut = false;

  constructor(options: CrictlOptions) {
    this.options = options;
  }

  async podIdOf(containerId: string): Promise<string | null> {
    const inspected = await this.inspect(containerId);
    // containerd and CRI-O have this field; the annotations are for other runtimes.
    const annotations = at(inspected, "info", "runtimeSpec", "annotations");
    const id =
      textAt(inspected, "info", "sandboxID") ||
      textAt(annotations, "io.kubernetes.cri.sandbox-id") ||
      textAt(annotations, "io.kubernetes.cri-o.SandboxID");
    return id === "" ? null : id;
  }

  async pods(filter: PodFilter): Promise<JsonObject[]> {
    const narrowing =
      "id" in filter
        ? ["--id", filter.id]
        : "uid" in filter
          ? ["--label", `${POD_UID_LABEL}=${filter.uid}`]
          : // crictl takes a regular expression, so the caller compares the names again.
            ["--name", `^${filter.name.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&")}$`];
    return objectsAt(
      await this.json(["pods", ...narrowing, "-o", "json"], this.cut("pod-info.json")),
      "items",
    );
  }

  async inspectPod(podId: string): Promise<JsonObject> {
    return this.json(["inspectp", podId], this.cut("runtime-info.json"));
  }

  /** crictl lists only running containers, so it cannot answer for others. */
  listed(): Promise<null> {
    return Promise.resolve(null);
  }

  async containers(podId: string): Promise<JsonObject[]> {
    const listed = await this.json(["ps", "-o", "json", "-p", podId], this.cut("ps-info.json"));
    return inListOrder(objectsAt(listed, "containers"));
  }

  async image(container: JsonObject): Promise<JsonObject | null> {
    const { imageCommand } = this.options;
    this.images ??= objectsAt(
      await this.json([imageCommand, "-o", "json"], () => (this.imagesCut = true)),
      "images",
    );
    const wanted = [
      textAt(container, "imageId"),
      textAt(container, "imageRef"),
      textAt(container, "image", "image"),
    ].filter((reference) => reference !== "");
    const names = (image: JsonObject) => [
      textAt(image, "id"),
      ...textsAt(image, "repoDigests"),
      ...textsAt(image, "repoTags"),
    ];
    const found = this.images.find((image) => names(image).some((name) => wanted.includes(name)));
    if (found === undefined && this.imagesCut)
      throw new Error("crictl's list of images is too long, and it is not among the first");
    return found ?? null;
  }

  async container(containerId: string): Promise<ContainerDetail> {
    const inspected = await this.inspect(containerId);
    const pid = at(inspected, "info", "pid");
    return {
      logPath: textAt(inspected, "status", "logPath"),
      pid: typeof pid === "number" ? pid : null,
    };
  }

  async logs(containerId: string, lines: number): Promise<string> {
    const run = await this.run(["logs", `--tail=${lines}`, containerId], "end");
    const { stdout, stderr, isCut } = run;
    if (isCut)
      this.options.record(`log of ${containerId}`, "crictl printed too much: only the end");
    // crictl prints the container's stderr on its own stderr, among its own warnings.
    const theirs = stderr.split(/(?<=\n)/).filter((line) => !CRICTL_OWN_LINE.test(line));
    return stdout + theirs.join("");
  }

  close(): void {}

  private async inspect(containerId: string): Promise<JsonObject> {
    const known = this.inspected.get(containerId);
    if (known !== undefined) return known;
    // The needed fields stand before those that may be long.
    const inspected = await this.json(["inspect", containerId], () => undefined);
    this.inspected.set(containerId, inspected);
    return inspected;
  }

  private cut(entry: string): () => void {
    return () => this.options.record(entry, "crictl printed too much: its end is left out");
  }

  private async json(args: readonly string[], onCut: () => void): Promise<JsonObject> {
    const { stdout, isCut } = await this.run(args, "beginning");
    if (isCut) onCut();
    let parsed: Json;
    try {
      parsed = JSON.parse(isCut ? closeJson(stdout) : stdout) as Json;
    } catch (cause) {
      throw new Error(`crictl ${args.join(" ")} printed no JSON`, { cause });
    }
    if (!isObject(parsed)) throw new Error(`crictl ${args.join(" ")} printed no JSON object`);
    return parsed;
  }

  private run(args: readonly string[], kept: Kept) {
    const { hostDir, useConfig, signal } = this.options;
    const config = useConfig ? ["-c", `${hostDir}/crictl.yaml`] : [];
    return runCrictl([...config, ...args], { searchPath: crictlPath(hostDir), signal, kept });
  }
}

/** Matches crictl's own lines, from logrus and klog: WARN[0000] …, time="…" level=…, W0131 12:00:00.000000 … */
const CRICTL_OWN_LINE =
  /^(?:(?:WARN|INFO|ERRO|DEBU|FATA)\[\d+\]|time="[^"]*" level=|[IWEF]\d{4} \d\d:)/;
