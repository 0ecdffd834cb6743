// The API server as a pod sees it: GET and POST of JSON with the service account's token. A few requests in a
// pod's life do not need a client library (the official one is larger than the rest of the agent).
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../model/app-error.ts";
import { readTextFile } from "../../host/files.ts";

/** The few requests that the agent makes. */
export interface KubernetesApi {
  get(path: string): Promise<KubernetesAnswer>;
  post(path: string, body: object): Promise<KubernetesAnswer>;
}

/** The API server's answer. */
export interface KubernetesAnswer {
  status: number;
  /** The parsed JSON; undefined where the answer is no JSON. */
  body: unknown;
}

/** How to reach the API server. */
export interface KubernetesAccess {
  /** Such as https://host:port. */
  baseUrl: string;
  /** The folder of token and ca.crt. The kubelet renews the token, so every request reads it again. */
  accountFolder: string;
}

const ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";
const TIMEOUT_MS = 5_000;
const TOKEN_MAX_BYTES = 64 * 1024;

/** Finds the API server by the variables that the kubelet gives every container; undefined outside a cluster. */
export function findKubernetes(
  environment: Readonly<Record<string, string | undefined>>,
): KubernetesAccess | undefined {
  const host = environment["KUBERNETES_SERVICE_HOST"];
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "443";
  if (host === undefined || host === "") return undefined;
  const named = host.includes(":") ? `[${host}]` : host;
  return { baseUrl: `https://${named}:${port}`, accountFolder: ACCOUNT_FOLDER };
}

/** Opens the API. Every call throws AppError "host" where no answer comes within five seconds. */
export function openKubernetesApi({ baseUrl, accountFolder }: KubernetesAccess): KubernetesApi {
  async function request(path: string, init: RequestInit): Promise<KubernetesAnswer> {
    const token = await readAccount("token");
    const ca = await readAccount("ca.crt");
    try {
      const answer = await fetch(baseUrl + path, {
        ...init,
        headers: {
          authorization: `Bearer ${token.trim()}`,
          accept: "application/json",
          "content-type": "application/json",
        },
        tls: { ca },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { status: answer.status, body: await answer.json().catch(() => undefined) };
    } catch (cause) {
      throw new AppError("host", `the Kubernetes API at ${baseUrl} did not answer`, { cause });
    }
  }

  /**
   * Reads a file of the account by its real path, because the kubelet mounts links to links, which readTextFile
   * refuses.
   */
  async function readAccount(name: string): Promise<string> {
    const path = join(accountFolder, name);
    const real = await realpath(path).catch(() => path);
    const text = await readTextFile(real, TOKEN_MAX_BYTES);
    if (text === undefined)
      throw new AppError("host", `${path} is missing`, {
        hint: "the pod needs its service account's token (automountServiceAccountToken)",
      });
    return text;
  }

  return {
    get: async (path) => request(path, { method: "GET" }),
    post: async (path, body) => request(path, { method: "POST", body: JSON.stringify(body) }),
  };
}
