{{- /* Values that are right alone and cannot work together, refused in words. What only looks odd is in NOTES.txt. */ -}}
{{- define "core-dump-handler.checks" -}}
{{- $d := .Values.daemonset -}}
{{- $key := include "core-dump-handler.storeValue" $d.s3AccessKey -}}
{{- $secret := include "core-dump-handler.storeValue" $d.s3Secret -}}
{{- if and $d.manageStoreSecret (not $d.storeSecret.name) (ne (empty $key) (empty $secret)) -}}
{{- fail (printf "daemonset.%s is set and daemonset.%s is not: set both, or neither to use the node's, IRSA's or Pod Identity's credentials." (empty $key | ternary "s3Secret" "s3AccessKey") (empty $key | ternary "s3AccessKey" "s3Secret")) -}}
{{- end -}}
{{- range $name := list "hostDirectory" "coreDirectory" "eventDirectory" -}}
{{- if has (clean (get $d $name)) (list "/" "/proc" "/sys" "/dev" "/etc" "/usr" "/bin" "/lib" "/var" "/run") -}}
{{- fail (printf "daemonset.%s is %s, a folder of the system itself: name one of its own, such as /var/mnt/core-dump-handler." $name (get $d $name)) -}}
{{- end -}}
{{- end -}}
{{- if eq (clean $d.hostDirectory) (clean $d.coreDirectory) -}}
{{- fail "daemonset.coreDirectory is daemonset.hostDirectory itself: the cores need a folder of their own, such as hostDirectory/cores." -}}
{{- end -}}
{{- if and .Values.scc.create (not .Values.serviceAccount.create) (empty .Values.serviceAccount.name) -}}
{{- fail "scc.create needs a ServiceAccount to grant to: set serviceAccount.create, or serviceAccount.name to an existing one." -}}
{{- end -}}
{{- end -}}
