{{- /* Written by `bun build/chart-generate.ts` from build/chart-values*.ts: change it there. */ -}}
{{- define "core-dump-handler.defaults" -}}
{
  "replicaCount": 1,
  "image": {
    "registry": "quay.io",
    "repository": "icdh/core-dump-handler",
    "tag": "",
    "digest": "",
    "pullPolicy": "Always",
    "pullSecrets": [],
    "request_mem": "64Mi",
    "request_cpu": "250m",
    "limit_mem": "128Mi",
    "limit_cpu": "500m"
  },
  "imagePullSecrets": [],
  "nameOverride": "",
  "fullnameOverride": "",
  "fixedNames": false,
  "usePersistentVolumes": false,
  "storageClass": "hostclass",
  "hostStorage": "1Gi",
  "coreStorage": "10Gi",
  "storage": null,
  "eventStorage": "1Gi",
  "serviceAccount": {
    "create": true,
    "name": "core-dump-admin",
    "annotations": {},
    "useToken": false,
    "tokenSecretName": "core-dump-service-account-token"
  },
  "rbac": {
    "create": true
  },
  "cleanup": {
    "enabled": true,
    "seconds": 120
  },
  "scc": {
    "create": false,
    "name": "core-dump-admin-privileged"
  },
  "clusterRole": {
    "name": "core-dump-event-reporter"
  },
  "clusterRoleBinding": {
    "name": "core-dump-event-report"
  },
  "nodeSelector": {},
  "affinity": {},
  "priorityClassName": null,
  "tolerations": [],
  "daemonset": {
    "name": "core-dump-handler",
    "label": "core-dump-ds",
    "labels": {},
    "podAnnotations": {},
    "mountContainerRuntimeEndpoint": false,
    "hostContainerRuntimeEndpoint": "/run/containerd/containerd.sock",
    "DeployCrioConfig": null,
    "manageStoreSecret": true,
    "storeSecret": {
      "name": "",
      "accessKey": "s3AccessKey",
      "secretKey": "s3Secret",
      "bucketName": "s3BucketName",
      "region": "s3Region"
    },
    "extraEnvVars": "",
    "envFrom": [],
    "sidecarContainers": [],
    "extraVolumes": [],
    "extraVolumeMounts": [],
    "updateStrategy": {},
    "hostNetwork": false,
    "terminationGracePeriodSeconds": 30,
    "kernelLog": true,
    "privileged": false,
    "seLinuxOptions": {},
    "captureMode": "auto",
    "captureFallback": false,
    "socketSendBuffer": "0",
    "listener": {
      "resources": {
        "requests": {
          "cpu": "50m",
          "memory": "64Mi"
        }
      }
    },
    "containerdRoot": "/var/lib/containerd",
    "kubeletRoot": "/var/lib/kubelet",
    "logLevel": "Info",
    "logFormat": "text",
    "hostDirectory": "/var/mnt/core-dump-handler",
    "coreDirectory": "/var/mnt/core-dump-handler/cores",
    "eventDirectory": "/var/mnt/core-dump-handler/events",
    "coreGroup": null,
    "crioEndpoint": "unix:///run/containerd/containerd.sock",
    "suidDumpable": 2,
    "corePipeLimit": 128,
    "vendor": "auto",
    "interval": null,
    "schedule": null,
    "timeZone": "",
    "useINotify": true,
    "doctor": true,
    "httpPort": 9180,
    "httpAddress": "",
    "previousHandler": "replace",
    "corePatternDrift": "reapply",
    "kubernetesEvents": false,
    "notifyUrl": "",
    "notifyOn": "first",
    "notifyLimit": 20,
    "notifyPage": "",
    "deployCrioConfig": false,
    "includeCrioExe": false,
    "s3AccessKey": "XXX",
    "s3Secret": "XXX",
    "s3BucketName": "XXX",
    "s3Region": "XXX",
    "s3Endpoint": "",
    "storeUrl": "",
    "index": false,
    "indexPrefix": "index/",
    "s3Addressing": "path",
    "s3CaBundle": "",
    "s3RequestChecksum": "when_required",
    "s3ResponseChecksum": "when_required",
    "s3SignPayload": "auto",
    "s3ConditionalWrites": true,
    "s3Sse": "none",
    "s3SseKmsKeyId": "",
    "s3StorageClass": "",
    "s3Metadata": true,
    "s3ModulePrefix": "",
    "s3ModuleDays": 90,
    "s3Tags": "",
    "s3KeyTemplate": "{filename}",
    "clusterName": "",
    "s3Timeout": 60,
    "s3MinSpeed": 65536,
    "s3PartSize": 16777216,
    "s3Concurrency": 2
  },
  "composer": {
    "logLevel": "Warn",
    "ignoreCrio": false,
    "includeProcInfo": false,
    "crioImageCmd": "img",
    "timeout": 600,
    "compression": true,
    "coreEvents": false,
    "filenameTemplate": "{uuid}-dump-{timestamp}-{hostname}-{exe_name}-{pid}-{signal}",
    "explain": true,
    "explainTimeout": 5,
    "report": true,
    "modules": "off",
    "moduleMaxSize": "512Mi",
    "logLength": 500,
    "podSelectorLabel": "",
    "namespaceInclude": "",
    "namespaceExclude": "",
    "criClient": "auto",
    "criTimeout": 5,
    "includeUndumpableProcInfo": false,
    "coreContent": "full",
    "fullCoreMax": "4Gi",
    "podPolicy": false,
    "maxCoreSize": "0",
    "diskReserve": "64Mi",
    "spoolMax": "25%",
    "diskQuota": "10%",
    "diskFree": "15%",
    "crashLoopLimit": 250,
    "crashLoopNamespaceLimit": 1000,
    "crashLoopWindow": 3600,
    "keepPerBug": 0,
    "dumpsAtOnce": 32
  },
  "store": {
    "url": ""
  },
  "monitoring": {
    "podMonitor": {
      "enabled": false,
      "interval": "30s",
      "labels": {}
    },
    "prometheusRule": {
      "enabled": false,
      "backlogSeconds": 3600,
      "runbookUrl": "docs/alerts.md",
      "labels": {}
    },
    "dashboard": {
      "enabled": false,
      "labels": {
        "grafana_dashboard": "1"
      }
    }
  },
  "networkPolicy": {
    "enabled": false,
    "from": []
  },
  "browser": {
    "enabled": false,
    "namespaces": [],
    "port": 8642,
    "s3AccessKey": "",
    "s3Secret": "",
    "envFrom": [],
    "extraEnvVars": [],
    "serviceAccount": {
      "annotations": {}
    },
    "labels": {},
    "resources": {
      "requests": {
        "cpu": "50m",
        "memory": "128Mi"
      },
      "limits": {
        "memory": "384Mi"
      }
    },
    "cacheSize": "512Mi",
    "sidecarContainers": [],
    "extraVolumes": [],
    "extraVolumeMounts": []
  }
}
{{- end -}}
