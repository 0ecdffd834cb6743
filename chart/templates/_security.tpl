{{- /*
What a container of ours may do; arguments: root, capabilities (a list; see _capture.tpl). Every line was tried
on a real runtime: docs/security.md has the trials.
*/ -}}
{{- define "core-dump-handler.securityContext" -}}
{{- $d := .root.Values.daemonset -}}
{{- if $d.privileged }}
privileged: true
{{- else }}
privileged: false
# Root, since the host's folders and /proc/sys belong to root.
runAsUser: 0
runAsGroup: 0
allowPrivilegeEscalation: false
capabilities:
  drop: ["ALL"]
  {{- with .capabilities }}
  add: {{ toJson . }}
  {{- end }}
# All that is written goes to the mounted folders.
readOnlyRootFilesystem: true
seccompProfile:
  type: RuntimeDefault
{{- if has "SYS_PTRACE" .capabilities }}
# The runtime's own profile lets a container look at processes of its own kind only, and not at the node's.
appArmorProfile:
  type: Unconfined
{{- end }}
{{- end }}
{{- with include "core-dump-handler.seLinuxOptions" .root }}
seLinuxOptions:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* OpenShift's nodes enforce SELinux, and IBM's values for it relied on a privileged pod, which has this label by itself. */ -}}
{{- define "core-dump-handler.seLinuxOptions" -}}
{{- if .Values.daemonset.seLinuxOptions -}}
{{- toYaml .Values.daemonset.seLinuxOptions -}}
{{- else if .Values.scc.create -}}
type: spc_t
{{- end -}}
{{- end -}}
