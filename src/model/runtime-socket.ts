// Where container runtimes listen on the host, and what CRIO_ENDPOINT adds to that.

/** In the order of asking. */
export const USUAL_SOCKETS = [
  "/run/containerd/containerd.sock",
  "/run/k3s/containerd/containerd.sock",
  "/run/crio/crio.sock",
  "/run/cri-dockerd.sock",
  // Bottlerocket's containerd too
  "/run/dockershim.sock",
  "/run/k0s/containerd.sock",
  "/var/snap/microk8s/common/run/containerd.sock",
] as const;

/** The path in an endpoint such as unix:///run/crio/crio.sock; "" for none. Throws for what is no unix socket. */
export function parseRuntimeEndpoint(endpoint: string): string {
  const path = endpoint.trim().replace(/^unix:(?:\/\/)?(?=\/)/, "");
  if (path !== "" && !path.startsWith("/"))
    throw new Error(`CRIO_ENDPOINT ${endpoint} is no unix socket (unix:///path)`);
  return path;
}

/** Socket paths in the order of asking: the endpoint's first. Throws for an endpoint that is no unix socket. */
export function candidateSockets(endpoint: string): string[] {
  const path = parseRuntimeEndpoint(endpoint);
  return [...new Set([...(path === "" ? [] : [path]), ...USUAL_SOCKETS])];
}
