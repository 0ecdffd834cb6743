// The sockets on which container runtimes listen on the host, and the one that CRIO_ENDPOINT names.

/** The sockets in the order in which they are tried. */
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

/**
 * Returns the path in an endpoint such as unix:///run/crio/crio.sock; "" for an empty one. Throws Error for one that is
 * no unix socket.
 */
export function parseRuntimeEndpoint(endpoint: string): string {
  const path = endpoint.trim().replace(/^unix:(?:\/\/)?(?=\/)/, "");
  if (path !== "" && !path.startsWith("/"))
    throw new Error(`CRIO_ENDPOINT ${endpoint} is no unix socket (unix:///path)`);
  return path;
}

/**
 * Returns the socket paths in the order in which to try them, the endpoint's first. Throws Error for an endpoint that
 * is no unix socket.
 */
export function candidateSockets(endpoint: string): string[] {
  const path = parseRuntimeEndpoint(endpoint);
  return [...new Set([...(path === "" ? [] : [path]), ...USUAL_SOCKETS])];
}
