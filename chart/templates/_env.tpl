{{- /*
The variables of the agent's container. Which value becomes which variable is in _variables.tpl; what
comes from a Secret is decided here. A value that is not set makes no variable, so that envFrom can.
*/ -}}

{{- /* Numbers as written: a large one from a values file is a float in helm and would print as 1e+06. */ -}}
{{- define "core-dump-handler.text" -}}
{{- if kindIs "invalid" . -}}
{{- else if and (kindIs "float64" .) (eq . (floor .)) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{- /* IBM's chart ships XXX where a secret belongs: it stands for "not set". */ -}}
{{- define "core-dump-handler.storeValue" -}}
{{- $text := include "core-dump-handler.text" . | trim -}}
{{- if ne $text "XXX" }}{{ $text }}{{ end -}}
{{- end -}}

{{- /* extraEnvVars as a YAML list, whether it was given as one or as a text template. */ -}}
{{- define "core-dump-handler.extraEnv" -}}
{{- with .Values.daemonset.extraEnvVars -}}
{{- $text := tpl (kindIs "string" . | ternary . (toYaml .)) $ -}}
{{- $list := fromYamlArray $text -}}
{{- range $list -}}
{{- if not (kindIs "map" .) -}}
{{- fail (printf "daemonset.extraEnvVars must be a list of {name, value}, or text that renders to one; it holds: %v" .) -}}
{{- end -}}
{{- end -}}
{{- if $list }}{{ toYaml $list }}{{ end -}}
{{- end -}}
{{- end -}}

{{- /* Whether the chart makes the store's Secret. IBM's FAQ told people to set manageStoreSecret at the top level. */ -}}
{{- define "core-dump-handler.makesSecret" -}}
{{- if and .Values.daemonset.manageStoreSecret (ne (toString .Values.manageStoreSecret) "false") (not .Values.daemonset.storeSecret.name) }}true{{ end -}}
{{- end -}}

{{- define "core-dump-handler.fromSecret" }}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end -}}

{{- /* The four variables of the store, as YAML list entries. */ -}}
{{- define "core-dump-handler.storeEnv" -}}
{{- $d := .Values.daemonset -}}
{{- $values := dict "S3_ACCESS_KEY" $d.s3AccessKey "S3_SECRET" $d.s3Secret "S3_BUCKET_NAME" $d.s3BucketName "S3_REGION" $d.s3Region -}}
{{- $ours := dict "S3_ACCESS_KEY" "s3AccessKey" "S3_SECRET" "s3Secret" "S3_BUCKET_NAME" "s3BucketName" "S3_REGION" "s3Region" -}}
{{- $theirs := dict "S3_ACCESS_KEY" $d.storeSecret.accessKey "S3_SECRET" $d.storeSecret.secretKey "S3_BUCKET_NAME" $d.storeSecret.bucketName "S3_REGION" $d.storeSecret.region -}}
{{- range $variable, $value := $values -}}
{{- $text := include "core-dump-handler.storeValue" $value -}}
{{- $public := has $variable (list "S3_BUCKET_NAME" "S3_REGION") -}}
{{- if include "core-dump-handler.makesSecret" $ -}}
{{- /* Made by the chart: what is set is in it. */ -}}
{{- if $text }}
{{- include "core-dump-handler.fromSecret" (dict "variable" $variable "secret" (include "core-dump-handler.storeSecretName" $) "key" (get $ours $variable)) }}
{{- end }}
{{- else if and $public $text }}
- name: {{ $variable }}
  value: {{ $text | quote }}
{{- else if $d.storeSecret.name -}}
{{- /* An existing one: a key that is missing should stop the pod with Kubernetes' own message. */ -}}
{{- include "core-dump-handler.fromSecret" (dict "variable" $variable "secret" $d.storeSecret.name "key" (get $theirs $variable) "optional" (eq $variable "S3_REGION")) }}
{{- else if not $d.envFrom -}}
{{- /* External: the name that IBM's chart always used, if somebody keeps a Secret there. */ -}}
{{- include "core-dump-handler.fromSecret" (dict "variable" $variable "secret" "s3config" "key" (get $ours $variable) "optional" true) }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Every variable but the store's four, as YAML list entries; the blank ones are left out. */ -}}
{{- define "core-dump-handler.plainEnv" -}}
{{- range $variable, $path := fromYaml (include "core-dump-handler.variables" .) -}}
{{- if not (has $variable (list "S3_ACCESS_KEY" "S3_SECRET" "S3_BUCKET_NAME" "S3_REGION")) -}}
{{- $value := $.Values -}}
{{- range $key := splitList "." $path -}}
{{- $value = get (default dict $value) $key -}}
{{- end -}}
{{- /* IBM's documents spell this one with a capital. */ -}}
{{- if and (eq $path "daemonset.deployCrioConfig") (not (kindIs "invalid" $.Values.daemonset.DeployCrioConfig)) -}}
{{- $value = $.Values.daemonset.DeployCrioConfig -}}
{{- end -}}
{{- if and (eq $path "composer.crioImageCmd") (eq $value "img") $.Values.daemonset.composerCrioImageCmd }}{{ $value = $.Values.daemonset.composerCrioImageCmd }}{{ end -}}
{{- if eq $path "daemonset.crioEndpoint" }}{{ $value = include "core-dump-handler.crioEndpoint" $ }}{{ end -}}
{{- if eq $path "store.url" -}}
{{- $value = include "core-dump-handler.storeUrl" $ -}}
{{- end -}}
{{- $text := include "core-dump-handler.text" $value -}}
{{- if $text }}
- name: {{ $variable }}
  value: {{ $text | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* STORE_URL, by its value's present name or its former one. */ -}}
{{- define "core-dump-handler.storeUrl" -}}
{{- default .Values.daemonset.storeUrl .Values.store.url -}}
{{- end -}}

{{- /* Whether AKS's webhook is to give the pod a token of the ServiceAccount's identity. */ -}}
{{- define "core-dump-handler.usesAzureIdentity" -}}
{{- if hasKey (default dict .Values.serviceAccount.annotations) "azure.workload.identity/client-id" }}true{{ end -}}
{{- end -}}

{{- /* All of it, sorted out: extraEnvVars replace variables of the chart instead of standing beside them. */ -}}
{{- define "core-dump-handler.env" -}}
{{- $extra := default list (fromYamlArray (include "core-dump-handler.extraEnv" .)) -}}
{{- $taken := dict -}}
{{- range $extra }}{{ $_ := set $taken .name true }}{{ end -}}
{{- $wired := include "core-dump-handler.wiredEnv" . -}}
{{- range fromYamlArray (printf "%s\n%s\n%s" (include "core-dump-handler.plainEnv" .) (include "core-dump-handler.storeEnv" .) $wired) -}}
{{- if not (hasKey $taken .name) }}
{{ toYaml (list .) }}
{{- end }}
{{- end }}
{{- with $extra }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* What the pod tells the agent about itself and its mounts. */ -}}
{{- define "core-dump-handler.wiredEnv" -}}
# /proc/sys is read-only in a container; its files are mounted here instead.
- name: PROC_ROOT
  value: /host/proc
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
{{- if not .Values.daemonset.httpAddress }}
- name: HTTP_ADDRESS
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- end }}
- name: DAEMONSET_NAME
  value: {{ include "core-dump-handler.daemonsetName" . | quote }}
{{- end -}}
