{{- /* The node's folders and files in the pod, each at the path that it has on the node: core_pattern names it there. */ -}}

{{- define "core-dump-handler.folders" -}}
- {name: host, path: {{ .Values.daemonset.hostDirectory | quote }}}
- {name: core, path: {{ .Values.daemonset.coreDirectory | quote }}}
{{- if .Values.composer.coreEvents }}
- {name: event, path: {{ .Values.daemonset.eventDirectory | quote }}}
{{- end }}
{{- end -}}

{{- define "core-dump-handler.sysctls" -}}
- kernel/core_pattern
- kernel/core_pipe_limit
- fs/suid_dumpable
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
{{- range fromYamlArray (include "core-dump-handler.sysctls" .) }}
- name: {{ base . | replace "_" "-" }}
  hostPath:
    path: /proc/sys/{{ . }}
    type: File
{{- end }}
{{- if .Values.daemonset.mountContainerRuntimeEndpoint }}
- name: container-runtime
  hostPath:
    path: {{ .Values.daemonset.hostContainerRuntimeEndpoint | quote }}
    type: Socket
{{- end }}
{{- with .Values.daemonset.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "core-dump-handler.agentMounts" -}}
{{- range fromYamlArray (include "core-dump-handler.folders" .) }}
- name: {{ .name }}-volume
  mountPath: {{ .path | quote }}
  # A disk that the node mounts there later shows up in the pod too.
  mountPropagation: HostToContainer
{{- end }}
# Just these three of the kernel's settings can be written, not all of /proc/sys.
{{- range fromYamlArray (include "core-dump-handler.sysctls" .) }}
- name: {{ base . | replace "_" "-" }}
  mountPath: /host/proc/sys/{{ . }}
{{- end }}
{{- if .Values.daemonset.mountContainerRuntimeEndpoint }}
- name: container-runtime
  mountPath: {{ .Values.daemonset.hostContainerRuntimeEndpoint | quote }}
{{- end }}
{{- with .Values.daemonset.extraVolumeMounts }}
{{ toYaml . }}
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
{{- if and (ne .name "host") (not (hasKey $paths .path)) }}
- name: {{ .name }}-volume
  mountPath: {{ .path | quote }}
  mountPropagation: HostToContainer
{{- end }}
{{- end }}
{{- with $own }}
{{ toYaml . }}
{{- end }}
{{- end -}}
