// Every metric that the agent offers; docs/operations.md says what to do about each.
import { VERSION } from "../../model/version.ts";
import { MetricRegistry } from "./metric-registry.ts";

const PREFIX = "core_dump_handler_";
/** Seconds that a crashed process was held, from a small core on tmpfs to the longest TIMEOUT. */
const DRAIN_BOUNDS = [0.05, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600];

/** All metrics by their names in the code. */
export type AgentMetrics = ReturnType<typeof openAgentMetrics>;

/** Makes the metrics and the registry that renders them. */
export function openAgentMetrics() {
  const registry = new MetricRegistry();
  const counter = (name: string, help: string, labels: string[] = []) =>
    registry.counter(PREFIX + name, help, labels);
  const gauge = (name: string, help: string, labels: string[] = []) =>
    registry.gauge(PREFIX + name, help, labels);

  const build = gauge("build_info", "The agent's version; always 1.", ["version"]);
  build.set(1, { version: VERSION });
  return {
    registry,
    installed: gauge("installed", "1 while core_pattern on this node is ours."),
    captureMode: gauge("capture_mode", "How cores come: 1 for the mode in use, 0 for the others.", [
      "mode",
    ]),
    listenerLost: counter("listener_lost_total", "Times no listener answered on the socket."),
    socketLost: counter(
      "socket_lost_total",
      "Crashes that the kernel lost as nobody took them on the socket.",
    ),
    drift: counter("sysctl_drift_total", "Times a kernel setting was found changed by others.", [
      "sysctl",
    ]),
    started: counter("crashes_total", "Crashes that the kernel handed to the composer."),
    ended: counter("dumps_total", "What became of them.", ["outcome", "namespace", "signal"]),
    truncated: counter("dumps_truncated_total", "Published dumps whose core is cut short.", ["by"]),
    coreBytes: counter("core_bytes_total", "Bytes of core received from the kernel."),
    zipBytes: counter("zip_bytes_total", "Bytes of published zips."),
    drainSeconds: registry.histogram(
      `${PREFIX}drain_seconds`,
      "How long a crashed process was held while its core was drained.",
      DRAIN_BOUNDS,
    ),
    suppressed: counter(
      "dumps_suppressed_total",
      "Crashes not collected: beyond a limit of their workload or namespace.",
      ["namespace"],
    ),
    coresLeftOut: counter(
      "cores_left_out_total",
      "Dumps without their core: of a bug that has left enough whole ones.",
      ["namespace"],
    ),
    pipeLimitDrops: counter(
      "core_pipe_limit_drops_total",
      "Crashes that the kernel dropped as CORE_PIPE_LIMIT dumps were under way.",
    ),
    kernelLogReadable: gauge("kernel_log_readable", "1 while the kernel's log can be read."),
    coreFiles: counter("core_files_total", "Core files found in containers, by outcome.", [
      "outcome",
    ]),
    coreFilesWaiting: gauge(
      "core_files_waiting",
      "Core files that are held until they are zipped.",
    ),
    coresNotLeft: counter(
      "cores_not_left_total",
      "Containers that ended by a signal that dumps core, and left no core file.",
      ["namespace"],
    ),
    recovered: counter("dumps_recovered_total", "Dumps of killed composers that were sealed."),
    evicted: counter("dumps_evicted_total", "Dumps deleted, not delivered: disk limits.", [
      "namespace",
    ]),
    evictedBytes: counter("dumps_evicted_bytes_total", "Bytes of them."),
    deliveries: counter("deliveries_total", "Attempts to deliver a dump, by outcome.", ["outcome"]),
    notifications: counter("notifications_total", "Crashes to tell of, by outcome.", ["outcome"]),
    deliveredBytes: counter("delivered_bytes_total", "Bytes of delivered zips."),
    backlogFiles: gauge("backlog_files", "Finished dumps that wait for delivery."),
    backlogBytes: gauge("backlog_bytes", "Bytes of them."),
    backlogAge: gauge("backlog_oldest_age_seconds", "Age of the oldest of them; 0 without any."),
    doctorChecks: gauge("doctor_check", "1 where the doctor's check did not fail, else 0.", [
      "check",
    ]),
    doctorLastRun: gauge("doctor_last_run_timestamp_seconds", "When the doctor looked; 0 never."),
    lastDelivery: gauge(
      "last_delivery_timestamp_seconds",
      "When a dump was last delivered; 0 never.",
    ),
  };
}
