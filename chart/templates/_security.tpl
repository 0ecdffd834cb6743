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
{{- with $d.seLinuxOptions }}
seLinuxOptions:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
