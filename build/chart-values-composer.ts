// The rows of `composer.*`: what the agent hands to the composer as COMP_*. See chart-values.ts.
import { type ChartValue } from "./chart-value.ts";

export const COMPOSER_VALUES: readonly ChartValue[] = [
  {
    path: "composer.logLevel",
    variable: "COMP_LOG_LEVEL",
    fallback: "Warn",
    about: "How much the composer writes to hostDirectory/composer.log.",
  },
  {
    path: "composer.ignoreCrio",
    variable: "COMP_IGNORE_CRIO",
    fallback: false,
    about:
      "Do not ask the container runtime: the zip holds the core and dump-info only. A filenameTemplate with {namespace} or {podname} still gets these.",
  },
  {
    path: "composer.includeProcInfo",
    variable: "COMP_INCLUDE_PROC_INFO",
    fallback: false,
    about:
      "Add auxv, cmdline, environ, maps and status of the processes. Environments hold secrets: mind who may read the bucket.",
  },
  {
    path: "composer.crioImageCmd",
    variable: "COMP_CRIO_IMAGE_CMD",
    fallback: "img",
    about: "crictl's word for images, where crictl is used at all.",
  },
  {
    path: "composer.timeout",
    variable: "COMP_TIMEOUT",
    fallback: 600,
    about: "Seconds that one dump may take; then its zip is closed and labelled truncated.",
  },
  {
    path: "composer.compression",
    variable: "COMP_COMPRESSION",
    fallback: true,
    schema: { enum: [true, false, "zstd"] },
    about:
      "How the zip's entries are compressed: true deflates them, false stores them, zstd compresses the core with zstd (faster and smaller, for readers that know it).",
  },
  {
    path: "composer.coreEvents",
    variable: "COMP_CORE_EVENTS",
    fallback: false,
    about: "Write an event file to daemonset.eventDirectory for each finished zip.",
  },
  {
    path: "composer.filenameTemplate",
    variable: "COMP_FILENAME_TEMPLATE",
    fallback: "{uuid}-dump-{timestamp}-{hostname}-{exe_name}-{pid}-{signal}",
    about:
      "The zip's name. Fields: uuid, timestamp, hostname, exe_name, pid, signal, limit_size, pathname, namespace, podname, fingerprint; {x} or {{x}}.",
  },
  {
    path: "composer.explain",
    variable: "COMP_EXPLAIN",
    fallback: true,
    about:
      "Add T-summary.json: why the process crashed, with its stacks, made by a process without any rights while the dump is written.",
  },
  {
    path: "composer.explainTimeout",
    variable: "COMP_EXPLAIN_TIMEOUT",
    fallback: 5,
    about: "Seconds that this process may take; then the dump is published without a summary.",
  },
  {
    path: "composer.report",
    variable: "COMP_REPORT",
    fallback: true,
    about:
      "Add T-report.html, a page that shows the crash in any browser: what happened, where, its stack, its last log lines. It loads nothing and runs nothing.",
  },
  {
    path: "composer.modules",
    variable: "COMP_MODULES",
    fallback: "off",
    about:
      "Keep what a crashed process had mapped, once per build-id, so that `debug` works on any machine: off, program, or all (recommended). Whoever may read the store can read the programs then.",
  },
  {
    path: "composer.moduleMaxSize",
    variable: "COMP_MODULE_MAX_SIZE",
    fallback: "512Mi",
    about: "The largest file that is kept; of a larger one the dump has the build-id only.",
  },
  {
    path: "composer.logLength",
    variable: "COMP_LOG_LENGTH",
    fallback: 500,
    about: "Last lines of each container's log that go into the zip.",
  },
  {
    path: "composer.podSelectorLabel",
    variable: "COMP_POD_SELECTOR_LABEL",
    fallback: "",
    about:
      "Collect from pods with this label only: its name, or name=value. Empty: from all. A crash of which the pod is not known for certain is left out.",
  },
  {
    path: "composer.namespaceInclude",
    variable: "COMP_NAMESPACE_INCLUDE",
    fallback: "",
    about:
      "Collect from these namespaces only: comma-separated, * allowed. A crash of which the pod is not known for certain is left out.",
  },
  {
    path: "composer.namespaceExclude",
    variable: "COMP_NAMESPACE_EXCLUDE",
    fallback: "",
    about:
      "Never collect from these namespaces: comma-separated, * allowed. A crash of which the pod is not known for certain is left out too.",
  },
  {
    path: "composer.criClient",
    variable: "COMP_CRI_CLIENT",
    fallback: "auto",
    about:
      "Who asks the container runtime: the built-in client, crictl, or the first that answers.",
  },
  {
    path: "composer.criTimeout",
    variable: "COMP_CRI_TIMEOUT",
    fallback: 5,
    about: "Seconds that the container runtime may take in all; the core never waits for it.",
  },
  {
    path: "composer.includeUndumpableProcInfo",
    variable: "COMP_INCLUDE_UNDUMPABLE_PROC_INFO",
    fallback: false,
    about:
      "includeProcInfo for processes that the kernel calls not dumpable (set-uid and the like) too.",
  },
  {
    path: "composer.coreContent",
    variable: "COMP_CORE_CONTENT",
    fallback: "full",
    about:
      "What a dump has of the core. full: all of it. stacks: registers, stacks and what a backtrace needs, read from the process, which is let go at once. auto: stacks of cores over fullCoreMax.",
  },
  {
    path: "composer.fullCoreMax",
    variable: "COMP_FULL_CORE_MAX",
    fallback: "4Gi",
    about: "For coreContent auto: the size of the longest core that is taken whole.",
  },
  {
    path: "composer.podPolicy",
    variable: "COMP_POD_POLICY",
    fallback: false,
    about:
      "Let a pod ask for less by its annotations core-dump-handler/core-content, /max-core-size, /collect and /priority (docs/operations.md).",
  },
  {
    path: "composer.maxCoreSize",
    variable: "COMP_MAX_CORE_SIZE",
    fallback: "0",
    about: "Bytes of core after which a dump is cut and labelled so (10Gi, 500M); 0: no limit.",
  },
  {
    path: "composer.diskReserve",
    variable: "COMP_DISK_RESERVE",
    fallback: "64Mi",
    about: "Bytes that stay free on coreDirectory's filesystem whatever crashes.",
  },
  {
    path: "composer.spoolMax",
    variable: "COMP_SPOOL_MAX",
    fallback: "25%",
    about:
      "What may lie uncompressed in coreDirectory while dumps are written, so that the crashed process need not wait for that: a part of what diskQuota leaves (25%), or a size (5Gi). 0: nothing.",
  },
  {
    path: "composer.diskQuota",
    variable: "COMP_DISK_QUOTA",
    fallback: "10%",
    about:
      "What coreDirectory may hold (10%, 5Gi); above it older dumps give way to new ones. 100%: no limit.",
  },
  {
    path: "composer.diskFree",
    variable: "COMP_DISK_FREE",
    fallback: "15%",
    about:
      "What must stay free on coreDirectory's filesystem (15%, 20Gi); below it older dumps give way. 0: no floor.",
  },
  {
    path: "composer.crashLoopLimit",
    variable: "COMP_CRASH_LOOP_LIMIT",
    fallback: 250,
    about:
      "Dumps that one workload may leave in crashLoopWindow; further ones are counted, not kept. 0: no limit, for namespaces neither.",
  },
  {
    path: "composer.crashLoopNamespaceLimit",
    variable: "COMP_CRASH_LOOP_NAMESPACE_LIMIT",
    fallback: 1000,
    about:
      "Dumps that all workloads of one namespace together may leave in crashLoopWindow. 0: no limit.",
  },
  {
    path: "composer.crashLoopWindow",
    variable: "COMP_CRASH_LOOP_WINDOW",
    fallback: 3600,
    about: "Seconds that crashLoopLimit, crashLoopNamespaceLimit and keepPerBug look back.",
  },
  {
    path: "composer.keepPerBug",
    variable: "COMP_KEEP_PER_BUG",
    fallback: 0,
    about:
      "Whole dumps of one bug that each namespace may leave in crashLoopWindow on a node; the next ones have summary, metadata and logs, and no core. 0: keep all cores. Needs explain.",
  },
  {
    path: "composer.dumpsAtOnce",
    variable: "COMP_DUMPS_AT_ONCE",
    fallback: 32,
    about:
      "Dumps of one namespace that may be under way at a time, and never more than half of corePipeLimit; further crashes are counted, not kept. 0: no limit.",
  },
];
