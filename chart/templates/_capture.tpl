{{- /*
What the ways of taking cores need of the pod (daemonset.captureMode). The pipe needs nothing but the node's
folder: the kernel starts the composer outside of the pod. What socket and file need is rendered only where
they may be used. Each right is explained in docs/security.md, and was tried without.
*/ -}}

{{- define "core-dump-handler.mayListen" -}}
{{- with .Values.daemonset -}}
{{- if or (eq .captureMode "socket") (and (eq .captureMode "auto") .captureFallback) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- /* CRI-O and cri-dockerd keep containers in another way, which file capture does not know. */ -}}
{{- define "core-dump-handler.mayHarvest" -}}
{{- $other := regexMatch "/(crio|cri-dockerd)\\.sock$" (include "core-dump-handler.crioEndpoint" .) -}}
{{- with .Values.daemonset -}}
{{- if or (eq .captureMode "file") (and (eq .captureMode "auto") .captureFallback (not $other)) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- /* What the agent's container is allowed beside being root, as a YAML list. */ -}}
{{- define "core-dump-handler.agentCapabilities" -}}
{{- $add := list -}}
{{- /* Only the kernel's log tells of crashes that it dropped because too many were under way. */ -}}
{{- if .Values.daemonset.kernelLog }}{{ $add = append $add "SYSLOG" }}{{ end -}}
{{- /* A core_pattern that names a socket is taken only from the node's first mount namespace (setns(2)). */ -}}
{{- if include "core-dump-handler.mayListen" . }}{{ $add = concat $add (list "SYS_ADMIN" "SYS_CHROOT" "SYS_PTRACE") }}{{ end -}}
{{- /* A core belongs to the user that crashed: read it, see whether it is still written (F_SETLEASE), and remove it from a sticky /tmp. */ -}}
{{- if include "core-dump-handler.mayHarvest" . }}{{ $add = concat $add (list "DAC_OVERRIDE" "FOWNER" "LEASE") }}{{ end -}}
{{- /* What explains a crash becomes nobody. */ -}}
{{- if and (include "core-dump-handler.mayHarvest" .) .Values.composer.explain }}{{ $add = concat $add (list "SETGID" "SETUID") }}{{ end -}}
{{- toYaml $add -}}
{{- end -}}

{{- /* The listener's: the same for core_pattern, which it gives back at its end, and /proc of whoever crashes; KILL for a crashed process that the kernel would hold for hours; SETGID and SETUID for the explainer, which becomes nobody. */ -}}
{{- define "core-dump-handler.listenerCapabilities" -}}
{{- $add := list "KILL" "SETGID" "SETUID" "SYS_ADMIN" "SYS_CHROOT" "SYS_PTRACE" -}}
{{- /* mem, environ and auxv of another user's process are closed to a root without it. */ -}}
{{- if or .Values.composer.includeProcInfo .Values.composer.explain }}{{ $add = prepend $add "DAC_READ_SEARCH" }}{{ end -}}
{{- toYaml $add -}}
{{- end -}}

{{- /* OpenShift runs CRI-O, and IBM's values for it left the endpoint to its crictl. */ -}}
{{- define "core-dump-handler.crioEndpoint" -}}
{{- $default := "unix:///run/containerd/containerd.sock" -}}
{{- and .Values.scc.create (eq .Values.daemonset.crioEndpoint $default) | ternary "unix:///var/run/crio/crio.sock" .Values.daemonset.crioEndpoint -}}
{{- end -}}

{{- /* The path of the runtime's socket on the node. */ -}}
{{- define "core-dump-handler.runtimeSocket" -}}
{{- trimPrefix "unix://" (include "core-dump-handler.crioEndpoint" .) -}}
{{- end -}}

{{- /*
What of the node's runtime is mounted: the socket's folder, as a runtime that restarts makes a new socket
there; or the socket alone where that folder would be all of /run.
*/ -}}
{{- define "core-dump-handler.runtimePath" -}}
{{- $socket := include "core-dump-handler.runtimeSocket" . -}}
{{- has (dir $socket) (list "/run" "/var/run") | ternary $socket (dir $socket) -}}
{{- end -}}

{{- define "core-dump-handler.captureVolumes" -}}
{{- $harvests := include "core-dump-handler.mayHarvest" . -}}
{{- $asks := and (include "core-dump-handler.mayListen" .) (not .Values.composer.ignoreCrio) -}}
{{- if or $asks $harvests }}
{{- $path := include "core-dump-handler.runtimePath" . }}
- name: runtime
  hostPath:
    path: {{ $path | quote }}
    type: {{ eq $path (include "core-dump-handler.runtimeSocket" .) | ternary "Socket" "Directory" }}
- name: pod-logs
  hostPath:
    path: /var/log/pods
    type: Directory
{{- end }}
{{- if $harvests }}
- name: containerd-root
  hostPath:
    path: {{ .Values.daemonset.containerdRoot | quote }}
    type: Directory
- name: kubelet-pods
  hostPath:
    path: {{ printf "%s/pods" (clean .Values.daemonset.kubeletRoot) | quote }}
    type: Directory
- name: host-tmp
  hostPath:
    path: /tmp
    type: Directory
- name: tmp
  emptyDir: {}
{{- end }}
{{- end -}}

{{- /*
Propagation, as the node's mounts come and go below these folders: a copy that stayed behind would keep other
pods' volumes busy. A node whose root is mounted private refuses it (docs/platforms.md).
*/ -}}
{{- define "core-dump-handler.harvestMounts" -}}
{{- if include "core-dump-handler.mayHarvest" . }}
# Which containers there are, and when one starts or ends.
- name: runtime
  mountPath: {{ include "core-dump-handler.runtimePath" . | quote }}
  mountPropagation: HostToContainer
  readOnly: true
# Their layers and their emptyDir volumes: a core is read there, and removed.
- name: containerd-root
  mountPath: {{ .Values.daemonset.containerdRoot | quote }}
  mountPropagation: HostToContainer
- name: kubelet-pods
  mountPath: {{ printf "%s/pods" (clean .Values.daemonset.kubeletRoot) | quote }}
  mountPropagation: HostToContainer
# Cores of the node's own processes, and of those that are not dumpable (core(5)).
- name: host-tmp
  mountPath: /host/tmp
  mountPropagation: HostToContainer
# The last lines of a container's log.
- name: pod-logs
  mountPath: /var/log/pods
  readOnly: true
# Where the doctor's own crash leaves its core.
- name: tmp
  mountPath: /tmp
{{- end }}
{{- end -}}

{{- define "core-dump-handler.listenerMounts" -}}
{{- include "core-dump-handler.folderMounts" . }}
{{- include "core-dump-handler.sysctlMounts" (include "core-dump-handler.sysctls" .) }}
{{- if not .Values.composer.ignoreCrio }}
# Who the crashed container is, and the last lines of its log. A socket needs no writable mount.
- name: runtime
  mountPath: {{ include "core-dump-handler.runtimePath" . | quote }}
  readOnly: true
- name: pod-logs
  mountPath: /var/log/pods
  readOnly: true
{{- end }}
{{- end -}}

{{- /* The agent's variables, without the store and its keys: the listener has no business there. */ -}}
{{- define "core-dump-handler.listenerEnv" -}}
{{- range fromYamlArray (include "core-dump-handler.env" .) -}}
{{- $secret := get (default dict .valueFrom) "secretKeyRef" -}}
{{- if not (or $secret (hasPrefix "S3_" .name) (hasPrefix "STORE_" .name)) }}
{{ toYaml (list .) }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "core-dump-handler.listener" -}}
{{- if include "core-dump-handler.mayListen" . -}}
# Takes the kernel's connections, a composer for each. Apart from the agent, whose restart then loses no dump.
- name: listener
  image: {{ include "core-dump-handler.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: ["/app/core-dump-handler", "listen"]
  terminationMessagePolicy: FallbackToLogsOnError
  {{- with .Values.daemonset.listener.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "core-dump-handler.securityContext" (dict "root" . "capabilities" (fromYamlArray (include "core-dump-handler.listenerCapabilities" .))) | trim | nindent 4 }}
  env:
    {{- include "core-dump-handler.listenerEnv" . | trim | nindent 4 }}
  volumeMounts:
    {{- include "core-dump-handler.listenerMounts" . | trim | nindent 4 }}
{{- end -}}
{{- end -}}

{{- /* In file capture composers are children of the agent, up to two at once, each with an explainer. */ -}}
{{- define "core-dump-handler.memoryLimit" -}}
{{- $own := toString .Values.image.limit_mem -}}
{{- and (not (empty (include "core-dump-handler.mayHarvest" .))) (eq $own "128Mi") | ternary "384Mi" $own -}}
{{- end -}}
