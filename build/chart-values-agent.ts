// The rows of `daemonset.*` that the agent reads as variables, triggers included. See chart-values.ts.
import { PATTERN_MAX_LENGTH, planCorePattern } from "../src/model/core-pattern.ts";
import { ABSOLUTE_PATH, BLANK_OR, type ChartValue, TEXT_OR_NULL } from "./chart-value.ts";

/** What core_pattern has room for: 127 characters in all, split on blanks, % expanded (core(5)). */
const LONGEST_HOST_DIR = PATTERN_MAX_LENGTH - (planCorePattern("/", "/with a blank").length - 1);

export const AGENT_VALUES: readonly ChartValue[] = [
  {
    path: "daemonset.logLevel",
    variable: "LOG_LEVEL",
    fallback: "Info",
    about: "How much the agent logs.",
  },
  {
    path: "daemonset.logFormat",
    variable: "LOG_FORMAT",
    fallback: "text",
    about: "Log lines as text or as JSON.",
  },
  {
    path: "daemonset.hostDirectory",
    variable: "HOST_DIR",
    fallback: "/var/mnt/core-dump-handler",
    schema: { type: "string", pattern: "^/[^\\s%]*$", maxLength: LONGEST_HOST_DIR },
    about:
      "The node's folder for the composer, its settings and its log. The kernel runs the composer from there as root: it must be on a filesystem that allows execution, and only root may write to it.",
  },
  {
    path: "daemonset.coreDirectory",
    variable: "CORE_DIR",
    fallback: "/var/mnt/core-dump-handler/cores",
    schema: ABSOLUTE_PATH,
    about: "The node's folder where zips wait for their upload.",
  },
  {
    path: "daemonset.eventDirectory",
    variable: "EVENT_DIR",
    fallback: "/var/mnt/core-dump-handler/events",
    schema: ABSOLUTE_PATH,
    about: "The node's folder for event files (composer.coreEvents).",
  },
  {
    path: "daemonset.coreGroup",
    variable: "CORE_GROUP",
    fallback: null,
    schema: BLANK_OR({ type: "integer", minimum: 1, maximum: 4294967294 }),
    about:
      "A group's number whose members may read and remove what waits in coreDirectory and eventDirectory; the pod gets it as a supplemental group, so that a sidecar that is not root works there. Not set: root alone.",
  },
  {
    path: "daemonset.crioEndpoint",
    variable: "CRIO_ENDPOINT",
    fallback: "unix:///run/containerd/containerd.sock",
    about:
      "The container runtime's CRI socket on the node; with scc.create the default is CRI-O's, as on OpenShift.",
  },
  {
    path: "daemonset.suidDumpable",
    variable: "SUID_DUMPABLE",
    fallback: 2,
    about:
      "fs.suid_dumpable while installed: 2 collects set-uid programs too, readable by root only.",
  },
  {
    path: "daemonset.corePipeLimit",
    variable: "CORE_PIPE_LIMIT",
    fallback: 128,
    about: "kernel.core_pipe_limit while installed: dumps at once; more are dropped by the kernel.",
  },
  {
    path: "daemonset.vendor",
    variable: "VENDOR",
    fallback: "auto",
    about:
      "auto takes the first build that a crash of our own shows to run on the node; default and rhel7 are one build (glibc 2.17 and later); musl is for nodes with musl; self-contained brings its own loader and libraries.",
  },
  {
    path: "daemonset.interval",
    variable: "INTERVAL",
    fallback: null,
    schema: BLANK_OR({ type: "integer", minimum: 0, maximum: 2147483647 }),
    about: "Milliseconds between sweeps of coreDirectory, e.g. 60000. Wins over schedule.",
  },
  {
    path: "daemonset.schedule",
    variable: "SCHEDULE",
    fallback: null,
    sample: "1/1 * * * * *",
    schema: TEXT_OR_NULL,
    about:
      'Sweeps by cron: five fields as in cron(5), or six with the seconds first ("0 */5 * * * *") and a seventh for the year, where weekdays count from 1 = Sunday and day of month and weekday must both fit, as in IBM\'s chart. The agent logs how it reads it.',
  },
  {
    path: "daemonset.timeZone",
    variable: "TZ",
    fallback: "",
    sample: "Europe/Berlin",
    about: "The time zone that schedule is read in, e.g. Europe/Berlin; empty: UTC.",
  },
  {
    path: "daemonset.useINotify",
    variable: "USE_INOTIFY",
    fallback: true,
    differs: "the ancestor's chart turns it on, its agent does not",
    about: "Upload each zip as soon as it appears. Goes with interval or schedule too.",
  },
  {
    path: "daemonset.doctor",
    variable: "DOCTOR",
    fallback: true,
    about:
      "Let a program of ours crash when the agent starts, and check the whole way of its dump; the pod is not ready while something is wrong.",
  },
  {
    path: "daemonset.httpPort",
    variable: "HTTP_PORT",
    fallback: 9180,
    about:
      "The pod's port of /healthz, /startz, /readyz and /metrics; 0 turns them, and the probes, off.",
  },
  {
    path: "daemonset.httpAddress",
    variable: "HTTP_ADDRESS",
    fallback: "",
    sample: "0.0.0.0",
    about:
      "The address it is served on; if empty the pod's own, and 127.0.0.1 on a plain host. 0.0.0.0 or :: serves every one, so that `kubectl port-forward` reaches it too.",
  },
  {
    path: "daemonset.previousHandler",
    variable: "PREVIOUS_HANDLER",
    fallback: "replace",
    about:
      "Who took cores on the node before (systemd-coredump, apport): replaced while we are installed, or handed the cores of processes outside containers as well.",
  },
  {
    path: "daemonset.corePatternDrift",
    variable: "CORE_PATTERN_DRIFT",
    fallback: "reapply",
    about: "When another tool takes core_pattern: take it back, or just say so.",
  },
  {
    path: "daemonset.kubernetesEvents",
    variable: "KUBERNETES_EVENTS",
    fallback: false,
    about:
      "Put a Kubernetes Event with the object's key on the crashed pod; makes the ClusterRole.",
  },
  {
    path: "daemonset.notifyUrl",
    variable: "NOTIFY_URL",
    fallback: "",
    sample: "https://hooks.example.com/services/T0/B0",
    about:
      "Where agents post JSON about delivered dumps, such as a Slack webhook. An address with a secret in it is better kept in a Secret and given by envFrom.",
  },
  {
    path: "daemonset.notifyOn",
    variable: "NOTIFY_ON",
    fallback: "first",
    about: "Of each bug's first crash (of the fleet's with index, else of the node's), or of all.",
  },
  {
    path: "daemonset.notifyLimit",
    variable: "NOTIFY_LIMIT",
    fallback: 20,
    about:
      "Notifications that one agent sends in an hour at most; one namespace has at most half of them.",
  },
  {
    path: "daemonset.notifyPage",
    variable: "NOTIFY_PAGE",
    fallback: "",
    sample: "http://127.0.0.1:8642/",
    about: "The address under which people reach the pages of serve, for links in notifications.",
  },
  {
    path: "daemonset.deployCrioConfig",
    variable: "DEPLOY_CRIO_CONFIG",
    fallback: false,
    about: "Write hostDirectory/crictl.yaml from crioEndpoint, for crictl.",
  },
  {
    path: "daemonset.includeCrioExe",
    variable: "DEPLOY_CRIO_EXE",
    fallback: false,
    about:
      "Copy the image's crictl to hostDirectory. The built-in client makes it unnecessary; an image carries one only when built so, and without one this is a warning, unless composer.criClient is crictl.",
  },
];
