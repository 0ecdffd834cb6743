// The rows of how cores are taken: by pipe, socket or file. What each needs of the pod is decided in
// templates/_capture.tpl, and explained in docs/platforms.md and docs/security.md. See chart-values.ts.
import { ABSOLUTE_PATH, type ChartValue } from "./chart-value.ts";

export const CAPTURE_VALUES: readonly ChartValue[] = [
  {
    path: "daemonset.captureMode",
    variable: "CAPTURE_MODE",
    fallback: "auto",
    about:
      "How the kernel hands cores over: pipe starts our program on the node; socket connects to a listener in the pod (Linux 6.16); file writes into the crashing container, and the agent collects. auto: the first of them that a crash of our own shows to work, of those that the pod has the rights for (captureFallback). docs/platforms.md helps to choose.",
  },
  {
    path: "daemonset.captureFallback",
    fallback: false,
    about:
      "Give the pod what socket and file need, so that captureMode auto may choose them where the pipe does not work: the node's processes (hostPID), capabilities that make it as good as root on the node, and the containers' files (docs/security.md).",
  },
  {
    path: "daemonset.socketSendBuffer",
    variable: "SOCKET_SEND_BUFFER",
    fallback: "0",
    about:
      "Socket capture: net.core.wmem_default while installed, from 64Ki to 64Mi; 0 leaves the node's own. With 2Mi a core comes as fast as by the pipe, with the usual 208Ki a fifth to a quarter slower (docs/performance.md). It is every new socket's default on the node, so nothing sets it unasked.",
  },
  {
    path: "daemonset.listener.resources",
    fallback: { requests: { cpu: "50m", memory: "64Mi" } },
    schema: { type: "object" },
    about:
      "Resources of the listener's container, which captureMode socket adds. Composers run in it: some 64 MiB for each dump at once, and the page cache of what they write. So there is no memory limit here; one that is too small costs dumps.",
  },
  {
    path: "daemonset.containerdRoot",
    fallback: "/var/lib/containerd",
    schema: ABSOLUTE_PATH,
    about:
      "containerd's root folder on the node, where file capture finds the layers of crashed containers. Mounted only where that may be used.",
  },
  {
    path: "daemonset.kubeletRoot",
    fallback: "/var/lib/kubelet",
    schema: ABSOLUTE_PATH,
    about:
      "The kubelet's root folder on the node, where file capture finds emptyDir volumes that are mounted at /tmp. Mounted (pods/ of it) only where that may be used.",
  },
];
