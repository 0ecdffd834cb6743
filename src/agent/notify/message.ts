// What a notification says: JSON that any receiver reads, with the `text` that Slack and its like show. Names are the
// crashed program's own.
import type { KnownInfo } from "../../model/dump-info.ts";
import { oneLine } from "../../model/printable.ts";

const TEXT_MAX_CHARACTERS = 300;

/** A delivered dump to tell of. */
export interface ToldCrash {
  info: KnownInfo;
  key: string;
  cluster: string;
  /** True where this is the first crash of its bug that anybody saw. */
  isFirst: boolean;
  /** How many crashes were not told since the last notification. */
  untold: number;
  /** The address of `serve`'s pages; "" for no links. */
  page: string;
}

/** Makes the body. */
export function formatNotification(crash: ToldCrash): string {
  const { info, key, cluster, isFirst, untold } = crash;
  const bug = /^[0-9a-f]{16}$/.test(info.bug ?? "") ? (info.bug ?? null) : null;
  const links = linksOf(crash, bug);
  return JSON.stringify({
    text: textOf(crash, links),
    title: titleOf(info),
    first: isFirst,
    untold,
    bug,
    exact: known(info.exact),
    signal: known(info.signal_name ?? info.signal),
    program: known(info.exe),
    cluster: known(cluster),
    namespace: known(info.namespace),
    pod: known(info.podname),
    container: known(info.container_name),
    image: known(info.image),
    node: known(info.node_hostname),
    time: timeOf(info),
    key,
    ...(links === undefined ? {} : { links }),
  });
}

function titleOf(info: KnownInfo): string {
  const plain = `${info.signal_name || `signal ${info.signal ?? "unknown"}`} in ${info.exe || "a program"}`;
  return known(info.title) ?? known(plain) ?? "";
}

function known(text: string | null | undefined): string | null {
  const line = oneLine(text ?? "");
  if (line === "") return null;
  return line.length > TEXT_MAX_CHARACTERS ? `${line.slice(0, TEXT_MAX_CHARACTERS - 1)}…` : line;
}

function timeOf({ timestamp }: KnownInfo): string | null {
  const ms = Number(timestamp ?? "") * 1000;
  return ms > 0 && ms < 8e15 ? new Date(ms).toISOString() : null;
}

interface Links {
  crash: string;
  bug: string | null;
}

function linksOf({ page, key }: ToldCrash, bug: string | null): Links | undefined {
  if (page === "") return undefined;
  const base = page.endsWith("/") ? page : `${page}/`;
  return {
    crash: `${base}crash?key=${encodeURIComponent(key)}`,
    bug: bug === null ? null : `${base}bug/${bug}`,
  };
}

/** Slack's three characters are escaped, so that no name becomes a mention or a link. */
function textOf(crash: ToldCrash, links: Links | undefined): string {
  const { info, isFirst, untold, cluster, key } = crash;
  const place = [info.namespace, info.podname, info.container_name].filter(Boolean).join("/");
  const where = [place, info.node_hostname, cluster].flatMap((part) => known(part) ?? []);
  const lines = [
    `${isFirst ? "New: " : ""}${titleOf(info)}`,
    where.join(" on "),
    links === undefined ? key : "",
    untold > 0 ? `${untold} more crashes were not told.` : "",
  ];
  const text = lines
    .filter((line) => line !== "")
    .map(escapeSlack)
    .join("\n");
  return links === undefined ? text : `${text}\n${links.crash}`;
}

function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
