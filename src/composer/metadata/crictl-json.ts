// Changes CRI's answers as crictl does before it prints them (`inspectp`, `inspect`): unfolds the runtime's verbose
// info and makes times readable. src/host/cri/codec.ts makes the rest of crictl's JSON.
import { closeJson } from "../../model/json-prefix.ts";
import { at, isObject, textAt, textMapAt, type Json, type JsonObject } from "../../model/json.ts";

/** Returns a PodSandboxStatusResponse as `crictl inspectp -o json` prints it. */
export function inspectedPod(response: JsonObject): JsonObject {
  const { status = null } = response;
  const readable = isObject(status)
    ? { ...status, createdAt: formatNanoseconds(BigInt(textAt(status, "createdAt"))) }
    : status;
  const info = Object.entries(textMapAt(response, "info"));
  return Object.fromEntries([
    ["status", readable],
    ...info.map(([key, text]): [string, Json] => [key, infoValue(text)]),
  ]);
}

/** Returns the pid of a container's main process from a ContainerStatusResponse; null where it is missing. */
export function mainPidOf(response: JsonObject): number | null {
  const pid = at(infoValue(textAt(response, "info", "info")), "pid");
  return typeof pid === "number" ? pid : null;
}

/**
 * Parses a value of the verbose info. A text that looks like an object is JSON, of which at least the whole members
 * count; any other is text without quotes.
 */
export function infoValue(text: string): Json {
  if (!text.startsWith("{")) return text.replace(/^"+|"+$/g, "");
  const value = parseJson(text) ?? parseJson(closeJson(text));
  return isObject(value) && Object.keys(value).length > 0 ? value : text;
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Writes nanoseconds since the epoch as Go's RFC3339Nano in UTC, without trailing zeros in the fraction. */
export function formatNanoseconds(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanoseconds - fraction) / 1_000_000_000n;
  const whole = new Date(Number(seconds) * 1000)
    .toISOString()
    .slice(0, "2000-01-01T00:00:00".length);
  const digits = fraction.toString().padStart(9, "0").replace(/0+$/, "");
  return `${whole}${digits === "" ? "" : `.${digits}`}Z`;
}
