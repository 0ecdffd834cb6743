{{- /* How objects are called, and their labels. Two releases never share a name; see fixedNames in values.yaml. */ -}}

{{- /*
Fills in what the values lack, first in every template: `helm upgrade --reuse-values` leaves out what is new in this
chart, and a null takes a default away. What is there stays, false and "" too (sprig's merge would replace those).
*/ -}}
{{- define "core-dump-handler.fillValues" -}}
{{- /* Values without this group are those of IBM's release, its own image's tag among them. */ -}}
{{- if and (not (hasKey .Values "rbac")) (include "core-dump-handler.ibmTag" .) -}}
{{- $_ := set .Values.image "tag" "" -}}
{{- end -}}
{{- include "core-dump-handler.fill" (dict "into" .Values "from" (fromJson (include "core-dump-handler.defaults" .))) -}}
{{- end -}}

{{- /* The image's tag, where it is one of IBM's versions in its repository. */ -}}
{{- define "core-dump-handler.ibmTag" -}}
{{- $tag := toString .Values.image.tag -}}
{{- if and (regexMatch "icdh/core-dump-handler(-musl)?$" .Values.image.repository) (regexMatch "^v?[1-9]\\.[0-9]+\\.[0-9]+$" $tag) (ne (trimPrefix "v" $tag) .Chart.AppVersion) (not .Values.image.digest) -}}
{{- $tag -}}
{{- end -}}
{{- end -}}

{{- define "core-dump-handler.fill" -}}
{{- range $key, $default := .from -}}
{{- $found := get $.into $key -}}
{{- if or (not (hasKey $.into $key)) (and (kindIs "map" $default) (kindIs "invalid" $found)) -}}
{{- $_ := set $.into $key $default -}}
{{- else if and (kindIs "map" $default) (kindIs "map" $found) -}}
{{- include "core-dump-handler.fill" (dict "into" $found "from" $default) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "core-dump-handler.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* At most 63 characters; a longer name keeps its beginning and gains a hash of the whole. */ -}}
{{- define "core-dump-handler.fit" -}}
{{- if gt (len .) 63 -}}
{{- printf "%s-%s" (trunc 54 . | trimSuffix "-") (sha256sum . | trunc 8) -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{- /*
A name in the release's namespace. Arguments: root, given (the value), usual (its default), suffix.
A name of the user's own, and every name with fixedNames, stands as it is; a default one gains the
release's name, except in a release called core-dump-handler, whose objects keep the names that they
had under IBM's chart (an upgrade must find the same DaemonSet and ServiceAccount).
*/ -}}
{{- define "core-dump-handler.name" -}}
{{- $fullname := include "core-dump-handler.fullname" .root -}}
{{- $given := default .usual .given -}}
{{- if or .root.Values.fixedNames (ne $given .usual) (eq $fullname "core-dump-handler") -}}
{{- $given -}}
{{- else -}}
{{- include "core-dump-handler.fit" (printf "%s%s" $fullname .suffix) -}}
{{- end -}}
{{- end -}}

{{- /* A name of a cluster-wide object: as above, and a default one always tells namespace and release. */ -}}
{{- define "core-dump-handler.clusterName" -}}
{{- $given := default .usual .given -}}
{{- if or .root.Values.fixedNames (ne $given .usual) -}}
{{- $given -}}
{{- else -}}
{{- printf "%s-%s-%s" $given .root.Release.Namespace (include "core-dump-handler.fullname" .root) -}}
{{- end -}}
{{- end -}}

{{- define "core-dump-handler.daemonsetName" -}}
{{- include "core-dump-handler.name" (dict "root" . "given" .Values.daemonset.name "usual" "core-dump-handler" "suffix" "") -}}
{{- end -}}

{{- define "core-dump-handler.podLabel" -}}
{{- include "core-dump-handler.name" (dict "root" . "given" .Values.daemonset.label "usual" "core-dump-ds" "suffix" "") -}}
{{- end -}}

{{- /*
The trust policy of a role names the ServiceAccount (IRSA and the like), and so does whoever granted it a constraint by
hand: IBM's name stays where it has annotations or is this release's already, and no other release has it.
*/ -}}
{{- define "core-dump-handler.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- $usual := "core-dump-admin" -}}
{{- $there := default dict (lookup "v1" "ServiceAccount" .Release.Namespace $usual) -}}
{{- $owner := get (default dict (get (default dict $there.metadata) "annotations")) "meta.helm.sh/release-name" -}}
{{- $isKept := and (eq (default $usual .Values.serviceAccount.name) $usual) (has $owner (list "" .Release.Name)) (or $owner .Values.serviceAccount.annotations) -}}
{{- if $isKept -}}
{{- $usual -}}
{{- else -}}
{{- include "core-dump-handler.name" (dict "root" . "given" .Values.serviceAccount.name "usual" $usual "suffix" "-admin") -}}
{{- end -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "core-dump-handler.tokenSecretName" -}}
{{- include "core-dump-handler.name" (dict "root" . "given" .Values.serviceAccount.tokenSecretName "usual" "core-dump-service-account-token" "suffix" "-token") -}}
{{- end -}}

{{- define "core-dump-handler.storeSecretName" -}}
{{- include "core-dump-handler.name" (dict "root" . "given" "s3config" "usual" "s3config" "suffix" "-s3config") -}}
{{- end -}}

{{- define "core-dump-handler.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "core-dump-handler.image" -}}
{{- with .Values.image -}}
{{- $repository := empty .registry | ternary .repository (printf "%s/%s" .registry .repository) -}}
{{- if .digest -}}
{{- printf "%s@%s" $repository .digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default $.Chart.AppVersion (toString .tag)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Pull secrets of both values, each given as a name or as an object with one. */ -}}
{{- define "core-dump-handler.pullSecrets" -}}
{{- $names := list -}}
{{- range concat (default list .Values.image.pullSecrets) (default list .Values.imagePullSecrets) -}}
{{- $names = append $names (kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name")) -}}
{{- end -}}
{{- range uniq $names }}
- name: {{ . | quote }}
{{- end }}
{{- end -}}

{{- /* Linux nodes, unless the values say something of the operating system themselves. */ -}}
{{- define "core-dump-handler.nodeSelector" -}}
{{- toYaml (merge (deepCopy (default dict .Values.nodeSelector)) (dict "kubernetes.io/os" "linux")) -}}
{{- end -}}
