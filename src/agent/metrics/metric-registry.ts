// Counters, gauges and histograms in Prometheus' text format 0.0.4. Written here because prom-client 15 took 18 MB of
// memory in a compiled program (43.7 MB in place of 25.8 MB, measured), more than a quarter of the agent's limit.
import { oneLine } from "../../model/printable.ts";

/** A series' labels. */
export type Labels = Readonly<Record<string, string>>;

/** A value that only grows. */
export interface Counter {
  add(amount?: number, labels?: Labels): void;
}

/** A value that goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void;
}

/** A distribution of values. */
export interface Histogram {
  observe(value: number): void;
}

interface Metric {
  name: string;
  type: "counter" | "gauge" | "histogram";
  help: string;
  samples: () => string[];
}

/**
 * The most series of a metric. Label values come from crashed pods, and hostile ones must not fill the memory; further
 * series count as "other".
 */
const SERIES_MAX = 500;
const OTHER = "other";

/** Makes metrics and renders them. */
export class MetricRegistry {
  private readonly metrics: Metric[] = [];

  /** Makes a counter. One without labels starts at 0, so that Prometheus can compute its rate. */
  counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    const series = this.series(name, "counter", help, labelNames);
    return { add: (amount = 1, labels = {}) => series.change(labels, (value) => value + amount) };
  }

  gauge(name: string, help: string, labelNames: readonly string[] = []): Gauge {
    const series = this.series(name, "gauge", help, labelNames);
    return { set: (value, labels = {}) => series.change(labels, () => value) };
  }

  /** Makes a histogram. `bounds` are the rising upper limits of the buckets; +Inf is added. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const counts = bounds.map(() => 0);
    let [sum, count] = [0, 0];
    this.metrics.push({
      name,
      type: "histogram",
      help,
      samples: () => [
        ...bounds.map((bound, index) => `${name}_bucket{le="${bound}"} ${counts[index] ?? 0}`),
        `${name}_bucket{le="+Inf"} ${count}`,
        `${name}_sum ${sum}`,
        `${name}_count ${count}`,
      ],
    });
    return {
      observe: (value) => {
        bounds.forEach((bound, index) => {
          if (value <= bound) counts[index] = (counts[index] ?? 0) + 1;
        });
        sum += value;
        count++;
      },
    };
  }

  /** Returns the metrics' names in the order in which they were made. */
  names(): string[] {
    return this.metrics.map(({ name }) => name);
  }

  /** Returns the text of all metrics, ended by a newline. */
  render(): string {
    return this.metrics
      .flatMap(({ name, type, help, samples }) => [
        `# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}`,
        `# TYPE ${name} ${type}`,
        ...samples(),
      ])
      .map((line) => `${line}\n`)
      .join("");
  }

  private series(
    name: string,
    type: "counter" | "gauge",
    help: string,
    labelNames: readonly string[],
  ) {
    const values = new Map<string, number>();
    if (labelNames.length === 0) values.set("", 0);
    this.metrics.push({
      name,
      type,
      help,
      samples: () => [...values].map(([labels, value]) => `${name}${labels} ${value}`),
    });
    const change = (labels: Labels, compute: (value: number) => number) => {
      let key = formatLabels(labelNames, labels);
      if (!values.has(key) && values.size >= SERIES_MAX)
        key = formatLabels(
          labelNames,
          Object.fromEntries(labelNames.map((label) => [label, OTHER])),
        );
      values.set(key, compute(values.get(key) ?? 0));
    };
    return { change };
  }
}

/** Writes `{a="x",b="y"}`, or nothing. Escapes backslash, quote and newline (exposition formats, "Comments"). */
function formatLabels(names: readonly string[], labels: Labels): string {
  if (names.length === 0) return "";
  const pairs = names.map((name) => {
    const lines = (labels[name] ?? "").slice(0, 256).split("\n").map(oneLine);
    const value = lines.join("\n");
    const escaped = value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
    return `${name}="${escaped}"`;
  });
  return `{${pairs.join(",")}}`;
}
