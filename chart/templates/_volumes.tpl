{{- /* The node's folders and files in the pod, each at the path that it has on the node: core_pattern names it there. */ -}}

{{- /*
The node's three folders: which ones the agent mounts, and which ones a sidecar. One below hostDirectory
needs no mount of its own for the agent, which can then remove it again when it is empty.
*/ -}}
{{- define "core-dump-handler.folders" -}}
{{- $d := .Values.daemonset -}}
{{- $below := printf "%s/" (clean $d.hostDirectory) -}}
- {name: host, path: {{ $d.hostDirectory | quote }}, agent: true, sidecar: false}
- {name: core, path: {{ $d.coreDirectory | quote }}, agent: {{ or .Values.usePersistentVolumes (not (hasPrefix $below (clean $d.coreDirectory))) }}, sidecar: {{ not (empty $d.sidecarContainers) }}}
- {name: event, path: {{ $d.eventDirectory | quote }}, agent: {{ and .Values.composer.coreEvents (or .Values.usePersistentVolumes (not (hasPrefix $below (clean $d.eventDirectory)))) }}, sidecar: {{ and .Values.composer.coreEvents (not (empty $d.sidecarContainers)) }}}
{{- end -}}

{{- define "core-dump-handler.sysctls" -}}
- kernel/core_pattern
- kernel/core_pipe_limit
- fs/suid_dumpable
{{- end -}}

{{- define "core-dump-handler.agentSysctls" -}}
{{- include "core-dump-handler.sysctls" . }}
{{- if and (include "core-dump-handler.mayListen" .) (ne (toString .Values.daemonset.socketSendBuffer) "0") }}
- net/core/wmem_default
{{- end }}
{{- end -}}

{{- define "core-dump-handler.sysctlVolumes" -}}
{{- range fromYamlArray (include "core-dump-handler.agentSysctls" .) }}
- name: {{ base . | replace "_" "-" }}
  hostPath:
    path: /proc/sys/{{ . }}
    type: File
{{- end }}
{{- end -}}

{{- /* A volume's object name, cluster-wide for a PersistentVolume. */ -}}
{{- define "core-dump-handler.volumeName" -}}
{{- if .root.Values.fixedNames -}}
{{- printf "%s-volume" .folder -}}
{{- else -}}
{{- printf "%s-%s-%s" .root.Release.Namespace (include "core-dump-handler.fullname" .root) .folder -}}
{{- end -}}
{{- end -}}

{{- define "core-dump-handler.claimName" -}}
{{- include "core-dump-handler.name" (dict "root" .root "given" (printf "%s-storage-pvc" .folder) "usual" (printf "%s-storage-pvc" .folder) "suffix" (printf "-%s" .folder)) -}}
{{- end -}}

{{- define "core-dump-handler.volumes" -}}
{{- range fromYamlArray (include "core-dump-handler.folders" .) }}
{{- if or .agent .sidecar }}
- name: {{ .name }}-volume
  {{- if $.Values.usePersistentVolumes }}
  persistentVolumeClaim:
    claimName: {{ include "core-dump-handler.claimName" (dict "root" $ "folder" .name) }}
  {{- else }}
  hostPath:
    path: {{ .path | quote }}
    type: DirectoryOrCreate
  {{- end }}
{{- end }}
{{- end }}
{{- include "core-dump-handler.sysctlVolumes" . }}
{{- include "core-dump-handler.captureVolumes" . }}
{{- if .Values.daemonset.mountContainerRuntimeEndpoint }}
- name: container-runtime
  hostPath:
    path: {{ .Values.daemonset.hostContainerRuntimeEndpoint | quote }}
    {{- /* No type: with one the pod would wait for ever on a node where this socket is gone, and nothing of ours needs it. */}}
{{- end }}
{{- with .Values.daemonset.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Without mount propagation: a node whose root is mounted private would refuse it, and nothing here needs it. */ -}}
{{- define "core-dump-handler.agentMounts" -}}
{{- include "core-dump-handler.folderMounts" . }}
{{- include "core-dump-handler.sysctlMounts" (include "core-dump-handler.agentSysctls" .) }}
{{- include "core-dump-handler.harvestMounts" . }}
{{- if .Values.daemonset.mountContainerRuntimeEndpoint }}
- name: container-runtime
  mountPath: {{ .Values.daemonset.hostContainerRuntimeEndpoint | quote }}
{{- end }}
{{- with .Values.daemonset.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "core-dump-handler.folderMounts" -}}
{{- range fromYamlArray (include "core-dump-handler.folders" .) }}
{{- if .agent }}
- name: {{ .name }}-volume
  mountPath: {{ .path | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Takes the list of them. */ -}}
{{- define "core-dump-handler.sysctlMounts" }}
# Just these of the kernel's settings can be written, not all of /proc/sys.
{{- range fromYamlArray . }}
- name: {{ base . | replace "_" "-" }}
  mountPath: /host/proc/sys/{{ . }}
{{- end }}
{{- end -}}

{{- /*
A sidecar sees cores and events. It does not see hostDirectory: what it wrote there, the kernel would run
as root. Its own mount of the same path stands instead of ours.
*/ -}}
{{- define "core-dump-handler.sidecarMounts" -}}
{{- $own := default list .sidecar.volumeMounts -}}
{{- $paths := dict -}}
{{- range $own }}{{ $_ := set $paths .mountPath true }}{{ end -}}
{{- range fromYamlArray (include "core-dump-handler.folders" .root) -}}
{{- if and .sidecar (not (hasKey $paths .path)) }}
- name: {{ .name }}-volume
  mountPath: {{ .path | quote }}
{{- end }}
{{- end }}
{{- with $own }}
{{ toYaml . }}
{{- end }}
{{- end -}}
