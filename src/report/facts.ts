// The head of a report: its title, what happened in plain words, and where and when.
import { describeOmitted } from "../model/core-content.ts";
import { formatBytes } from "../model/byte-text.ts";
import type { ReportedCrash, ReportLimits } from "./reported-crash.ts";
import { html, type Html, type Value } from "./html.ts";
import { cutText, fileOf, momentOf } from "./text.ts";

/** How much of a name stands in the sentence, in characters. */
const SENTENCE_NAME_MAX = 80;

/** The title: the summary's, else program and signal. */
export function titleOf(
  { summary, info }: ReportedCrash,
  { textCharacters }: ReportLimits,
): string {
  const title = summary?.title || info.title || `${signalOf(info)} in ${info.exe || "a program"}`;
  return cutText(title, textCharacters);
}

function signalOf({ signal_name: name, signal }: ReportedCrash["info"]): string {
  return name || (signal ? `signal ${signal}` : "a crash");
}

/** What happened, in plain words. */
export function sentenceOf(crash: ReportedCrash, { textCharacters }: ReportLimits): Html {
  const { info, summary } = crash;
  const program = fileOf(summary?.process.exe ?? info.exe_path ?? info.exe ?? "") || "A program";
  const moment = momentOf(info.timestamp);
  const why = summary?.signal?.sentence ?? "";
  const said = summary?.abort_message?.text ?? summary?.panic?.text.split("\n")[0] ?? "";
  return html`<strong>${cutText(program, SENTENCE_NAME_MAX)}</strong>${placeOf(crash)} was ended by
    ${summary?.signal?.name || signalOf(info)}${
      moment !== undefined && html` on <time datetime="${moment.iso}">${moment.shown}</time>`
    }${why !== "" && html`: ${cutText(why, textCharacters)}`}.${said !== "" && html` It said: <q>${cutText(said, textCharacters)}</q>`}`;
}

function placeOf({ info }: ReportedCrash): Html {
  const { container_name: container, namespace, podname } = info;
  const name = (text: string) => cutText(text, SENTENCE_NAME_MAX);
  const pod =
    podname && html` of pod <strong>${name(namespace ?? "unknown")}/${name(podname)}</strong>`;
  const inside = container ? html` in container <strong>${name(container)}</strong>` : "";
  return html`${inside || (pod && " in a container")}${pod}`;
}

/** Where and when. */
export function factsSection(crash: ReportedCrash, limits: ReportLimits): Html {
  const { info, summary } = crash;
  const cut = (text: string | number | null | undefined) =>
    text === null || text === undefined || text === ""
      ? undefined
      : cutText(String(text), limits.textCharacters);
  const moment = momentOf(info.timestamp);
  const user = info.uid ?? summary?.process.uid;
  const rows: [string, Value][] = [
    ["When", moment !== undefined && html`<time datetime="${moment.iso}">${moment.shown}</time>`],
    ["Signal", cut(signalText(crash))],
    ["Message", cut(summary?.abort_message?.text)],
    ["Namespace", cut(info.namespace)],
    ["Pod", cut(info.podname)],
    [
      "Perhaps pod",
      info.podname
        ? undefined
        : cut(info.guessed_podname && `${info.guessed_namespace}/${info.guessed_podname}`),
    ],
    ["Container", cut(info.container_name)],
    ["Image", cut(info.image)],
    ["Restarts", cut(info.restart_count)],
    ["Node", cut(info.node_hostname)],
    ["Program", cut(summary?.process.exe ?? info.exe_path ?? info.exe)],
    [
      "Process",
      cut(
        [info.real_pid && `pid ${info.real_pid}`, user != null && `user ${user}`, threadsOf(crash)]
          .filter(Boolean)
          .join(", "),
      ),
    ],
    ["Architecture", cut(summary?.process.architecture)],
    ["Core", cut(coreText(crash))],
    ["Bug", cut(summary?.fingerprint.bug ?? info.bug)],
    ["This build", cut(summary?.fingerprint.exact ?? info.exact)],
    ["Dump", cut(info.uuid)],
  ];
  return html`<section aria-labelledby="facts">
    <h2 id="facts">Where and when</h2>
    <dl>
      ${rows.map(
        ([name, value]) =>
          value !== undefined &&
          value !== false &&
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

function threadsOf({ summary }: ReportedCrash): string {
  const count = summary?.process.threads ?? 0;
  return count === 0 ? "" : count === 1 ? "1 thread" : `${count} threads`;
}

function signalText({ summary, info }: ReportedCrash): string {
  const { signal } = summary ?? {};
  if (!signal) return signalOf(info);
  const code = signal.code_name === null ? "" : ` (${signal.code_name})`;
  const address = signal.fault_address === null ? "" : ` at ${signal.fault_address}`;
  return `${signal.name}${code}${address}`;
}

function coreText({ info }: ReportedCrash): string {
  const omitted = describeOmitted(info);
  return omitted === "" ? sizeText(info) : `${sizeText(info)}; ${omitted}`;
}

function sizeText(info: ReportedCrash["info"]): string {
  const {
    core_bytes: bytes,
    core_complete: complete,
    core_expected_bytes: expected,
    truncated_by: by,
  } = info;
  if (bytes === undefined) return "";
  const size = formatBytes(bytes);
  if (complete === true) return `${size}, complete`;
  if (complete !== false) return `${size}; whether it is complete cannot be told`;
  if (by === "known_bug") return "left out: its bug has left whole dumps already";
  return `${size}${typeof expected === "number" ? ` of ${formatBytes(expected)}` : ""}, cut short (${by ?? "nobody knows by what"})`;
}
