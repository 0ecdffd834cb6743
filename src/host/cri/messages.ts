// CRI's messages as tables, generated from cri.proto by build/generate-cri.ts. Not to be edited.
import type { FieldTable } from "./field-table.ts";

export const ENUMS = {
  PodSandboxState: { 0: "SANDBOX_READY", 1: "SANDBOX_NOTREADY" },
  NamespaceMode: { 0: "POD", 1: "CONTAINER", 2: "NODE", 3: "TARGET" },
  ContainerState: {
    0: "CONTAINER_CREATED",
    1: "CONTAINER_RUNNING",
    2: "CONTAINER_EXITED",
    3: "CONTAINER_UNKNOWN",
  },
} as const;

export const MESSAGES = {
  VersionRequest: [{ number: 1, name: "version", type: "string" }],
  VersionResponse: [
    { number: 1, name: "version", type: "string" },
    { number: 2, name: "runtimeName", type: "string" },
    { number: 3, name: "runtimeVersion", type: "string" },
    { number: 4, name: "runtimeApiVersion", type: "string" },
  ],
  PodSandboxMetadata: [
    { number: 1, name: "name", type: "string" },
    { number: 2, name: "uid", type: "string" },
    { number: 3, name: "namespace", type: "string" },
    { number: 4, name: "attempt", type: "uint32" },
  ],
  PodSandboxFilter: [
    { number: 1, name: "id", type: "string" },
    { number: 3, name: "labelSelector", type: "map" },
  ],
  ListPodSandboxRequest: [{ number: 1, name: "filter", type: "message", of: "PodSandboxFilter" }],
  PodSandbox: [
    { number: 1, name: "id", type: "string" },
    { number: 2, name: "metadata", type: "message", of: "PodSandboxMetadata" },
    { number: 3, name: "state", type: "enum", of: "PodSandboxState" },
    { number: 4, name: "createdAt", type: "int64" },
    { number: 5, name: "labels", type: "map" },
    { number: 6, name: "annotations", type: "map" },
    { number: 7, name: "runtimeHandler", type: "string" },
  ],
  ListPodSandboxResponse: [
    { number: 1, name: "items", type: "message", of: "PodSandbox", repeated: true },
  ],
  PodSandboxStatusRequest: [
    { number: 1, name: "podSandboxId", type: "string" },
    { number: 2, name: "verbose", type: "bool" },
  ],
  PodIP: [{ number: 1, name: "ip", type: "string" }],
  PodSandboxNetworkStatus: [
    { number: 1, name: "ip", type: "string" },
    { number: 2, name: "additionalIps", type: "message", of: "PodIP", repeated: true },
  ],
  IDMapping: [
    { number: 1, name: "hostId", type: "uint32" },
    { number: 2, name: "containerId", type: "uint32" },
    { number: 3, name: "length", type: "uint32" },
  ],
  UserNamespace: [
    { number: 1, name: "mode", type: "enum", of: "NamespaceMode" },
    { number: 2, name: "uids", type: "message", of: "IDMapping", repeated: true },
    { number: 3, name: "gids", type: "message", of: "IDMapping", repeated: true },
  ],
  NamespaceOption: [
    { number: 1, name: "network", type: "enum", of: "NamespaceMode" },
    { number: 2, name: "pid", type: "enum", of: "NamespaceMode" },
    { number: 3, name: "ipc", type: "enum", of: "NamespaceMode" },
    { number: 4, name: "targetId", type: "string" },
    { number: 5, name: "usernsOptions", type: "message", of: "UserNamespace" },
  ],
  Namespace: [{ number: 2, name: "options", type: "message", of: "NamespaceOption" }],
  LinuxPodSandboxStatus: [{ number: 1, name: "namespaces", type: "message", of: "Namespace" }],
  PodSandboxStatus: [
    { number: 1, name: "id", type: "string" },
    { number: 2, name: "metadata", type: "message", of: "PodSandboxMetadata" },
    { number: 3, name: "state", type: "enum", of: "PodSandboxState" },
    { number: 4, name: "createdAt", type: "int64" },
    { number: 5, name: "network", type: "message", of: "PodSandboxNetworkStatus" },
    { number: 6, name: "linux", type: "message", of: "LinuxPodSandboxStatus" },
    { number: 7, name: "labels", type: "map" },
    { number: 8, name: "annotations", type: "map" },
    { number: 9, name: "runtimeHandler", type: "string" },
  ],
  PodSandboxStatusResponse: [
    { number: 1, name: "status", type: "message", of: "PodSandboxStatus" },
    { number: 2, name: "info", type: "map" },
  ],
  ContainerMetadata: [
    { number: 1, name: "name", type: "string" },
    { number: 2, name: "attempt", type: "uint32" },
  ],
  ImageSpec: [
    { number: 1, name: "image", type: "string" },
    { number: 2, name: "annotations", type: "map" },
    { number: 18, name: "userSpecifiedImage", type: "string" },
    { number: 19, name: "runtimeHandler", type: "string" },
  ],
  ContainerFilter: [
    { number: 1, name: "id", type: "string" },
    { number: 3, name: "podSandboxId", type: "string" },
  ],
  ListContainersRequest: [{ number: 1, name: "filter", type: "message", of: "ContainerFilter" }],
  Container: [
    { number: 1, name: "id", type: "string" },
    { number: 2, name: "podSandboxId", type: "string" },
    { number: 3, name: "metadata", type: "message", of: "ContainerMetadata" },
    { number: 4, name: "image", type: "message", of: "ImageSpec" },
    { number: 5, name: "imageRef", type: "string" },
    { number: 6, name: "state", type: "enum", of: "ContainerState" },
    { number: 7, name: "createdAt", type: "int64" },
    { number: 8, name: "labels", type: "map" },
    { number: 9, name: "annotations", type: "map" },
    { number: 10, name: "imageId", type: "string" },
  ],
  ListContainersResponse: [
    { number: 1, name: "containers", type: "message", of: "Container", repeated: true },
  ],
  ContainerStatusRequest: [
    { number: 1, name: "containerId", type: "string" },
    { number: 2, name: "verbose", type: "bool" },
  ],
  ContainerStatus: [
    { number: 1, name: "id", type: "string" },
    { number: 3, name: "state", type: "enum", of: "ContainerState" },
    { number: 6, name: "finishedAt", type: "int64" },
    { number: 7, name: "exitCode", type: "int32" },
    { number: 15, name: "logPath", type: "string" },
  ],
  ContainerStatusResponse: [
    { number: 1, name: "status", type: "message", of: "ContainerStatus" },
    { number: 2, name: "info", type: "map" },
  ],
  ImageStatusRequest: [{ number: 1, name: "image", type: "message", of: "ImageSpec" }],
  Int64Value: [{ number: 1, name: "value", type: "int64" }],
  Image: [
    { number: 1, name: "id", type: "string" },
    { number: 2, name: "repoTags", type: "string", repeated: true },
    { number: 3, name: "repoDigests", type: "string", repeated: true },
    { number: 4, name: "size", type: "uint64" },
    { number: 5, name: "uid", type: "message", of: "Int64Value" },
    { number: 6, name: "username", type: "string" },
    { number: 7, name: "spec", type: "message", of: "ImageSpec" },
    { number: 8, name: "pinned", type: "bool" },
  ],
  ImageStatusResponse: [{ number: 1, name: "image", type: "message", of: "Image" }],
  StatusRequest: [{ number: 1, name: "verbose", type: "bool" }],
  StatusResponse: [{ number: 2, name: "info", type: "map" }],
  MountsRequest: [
    { number: 1, name: "snapshotter", type: "string" },
    { number: 2, name: "key", type: "string" },
  ],
  SnapshotMount: [
    { number: 1, name: "type", type: "string" },
    { number: 2, name: "source", type: "string" },
    { number: 4, name: "options", type: "string", repeated: true },
  ],
  MountsResponse: [
    { number: 1, name: "mounts", type: "message", of: "SnapshotMount", repeated: true },
  ],
} as const satisfies Record<string, FieldTable>;
