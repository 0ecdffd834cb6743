{{- /* What the agent's container may do. Every line was tried on a real runtime: docs/security.md has the trials. */ -}}
{{- define "core-dump-handler.securityContext" -}}
{{- if .Values.daemonset.privileged }}
privileged: true
{{- else }}
privileged: false
# Root, since the host's folders and /proc/sys belong to root.
runAsUser: 0
runAsGroup: 0
allowPrivilegeEscalation: false
capabilities:
  drop: ["ALL"]
  {{- if .Values.daemonset.kernelLog }}
  # Only the kernel's log tells of crashes that it dropped because too many were under way.
  add: ["SYSLOG"]
  {{- end }}
# All that is written goes to the mounted folders.
readOnlyRootFilesystem: true
seccompProfile:
  type: RuntimeDefault
{{- end }}
{{- with .Values.daemonset.seLinuxOptions }}
seLinuxOptions:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
