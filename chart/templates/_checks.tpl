{{- /* Values that are right alone and cannot work together, refused in words. What only looks odd is in NOTES.txt. */ -}}
{{- define "core-dump-handler.checks" -}}
{{- $d := .Values.daemonset -}}
{{- $key := include "core-dump-handler.storeValue" $d.s3AccessKey -}}
{{- $secret := include "core-dump-handler.storeValue" $d.s3Secret -}}
{{- if and (include "core-dump-handler.makesSecret" .) (ne (empty $key) (empty $secret)) -}}
{{- fail (printf "daemonset.%s is set and daemonset.%s is not: set both, or neither to use the node's, IRSA's or Pod Identity's credentials." (empty $key | ternary "s3Secret" "s3AccessKey") (empty $key | ternary "s3AccessKey" "s3Secret")) -}}
{{- end -}}
{{- $old := $d.storeUrl -}}
{{- $url := include "core-dump-handler.storeUrl" . -}}
{{- $bucket := include "core-dump-handler.storeValue" $d.s3BucketName -}}
{{- if and $old (ne $old $url) -}}
{{- fail (printf "store.url is %s and daemonset.storeUrl, its former name, is %s: set one of them." $url $old) -}}
{{- end -}}
{{- if and $bucket $url (not (hasPrefix "file:" $url)) (ne (printf "s3://%s" $bucket) (regexFind "^s3://[^/]+" $url)) -}}
{{- fail (printf "store.url is %s and daemonset.s3BucketName is %s: set one of them." $url $bucket) -}}
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
{{- include "core-dump-handler.captureChecks" . -}}
{{- include "core-dump-handler.formerChecks" . -}}
{{- range $d.sidecarContainers -}}
{{- if has .name (list "coredump-container" "listener") -}}
{{- fail (printf "daemonset.sidecarContainers has one called %s, which is the name of a container of the chart's own: give it another one." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* What values for IBM's chart may hold that would change its meaning here without a word (build/chart-former-values.ts). */ -}}
{{- define "core-dump-handler.formerChecks" -}}
{{- $d := .Values.daemonset -}}
{{- with include "core-dump-handler.ibmTag" . -}}
{{- fail (printf "image.tag is %s, a version of IBM's image: our pod would start IBM's program, which cannot work in it. Take image.tag out of your values (helm get values shows them)." .) -}}
{{- end -}}
{{- $key := include "core-dump-handler.storeValue" $d.s3AccessKey -}}
{{- if and (eq (toString .Values.manageStoreSecret) "false") $d.manageStoreSecret $key -}}
{{- fail "manageStoreSecret is false at the top level, where IBM's chart did not read it, and daemonset.s3AccessKey is set: set daemonset.manageStoreSecret to false and take the key out, or take manageStoreSecret out." -}}
{{- end -}}
{{- range $former := list "logLevel" "ignoreCrio" -}}
{{- $name := printf "composer%s%s" (substr 0 1 $former | upper) (substr 1 -1 $former) -}}
{{- $given := get $d $name -}}
{{- if and (hasKey $d $name) (not (kindIs "invalid" $given)) (ne (toString $given | lower) (get $.Values.composer $former | toString | lower)) -}}
{{- fail (printf "daemonset.%s is %v, and neither IBM's chart 9 nor this one reads that key: set composer.%s, or take it out." $name $given $former) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "core-dump-handler.captureChecks" -}}
{{- $d := .Values.daemonset -}}
{{- $listens := include "core-dump-handler.mayListen" . -}}
{{- $harvests := include "core-dump-handler.mayHarvest" . -}}
{{- if and $d.captureFallback (eq $d.captureMode "pipe") -}}
{{- fail "daemonset.captureFallback is for captureMode auto: with pipe there is nothing to fall back to. Set captureMode to auto, or captureFallback to false." -}}
{{- end -}}
{{- $asks := or $harvests (and $listens (not .Values.composer.ignoreCrio)) -}}
{{- if and $asks (not (hasPrefix "/" (include "core-dump-handler.runtimeSocket" .))) -}}
{{- fail (printf "daemonset.crioEndpoint is %s: captureMode %s mounts the runtime's socket, so it must be a path, or unix:// and a path." $d.crioEndpoint $d.captureMode) -}}
{{- end -}}
{{- if and (eq $d.captureMode "file") (regexMatch "/(crio|cri-dockerd)\\.sock$" (include "core-dump-handler.crioEndpoint" .)) -}}
{{- fail (printf "daemonset.captureMode is file and daemonset.crioEndpoint is %s: file capture knows containerd only. Use pipe, or socket (Linux 6.16)." (include "core-dump-handler.crioEndpoint" .)) -}}
{{- end -}}
{{- $surge := get (default dict (get (default dict $d.updateStrategy) "rollingUpdate")) "maxSurge" -}}
{{- if and $listens $surge (not (has (toString $surge) (list "0" "0%"))) -}}
{{- fail (printf "daemonset.updateStrategy has maxSurge %v: two pods of one node would take the listener's socket from one another. Leave it out, or use captureMode pipe." $surge) -}}
{{- end -}}
{{- if and $listens (eq (int $d.terminationGracePeriodSeconds) 0) -}}
{{- fail "daemonset.terminationGracePeriodSeconds is 0: the listener would be killed with core_pattern still naming its socket, and crashes would be lost. Give it some seconds." -}}
{{- end -}}
{{- end -}}
