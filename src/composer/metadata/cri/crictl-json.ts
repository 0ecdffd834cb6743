// CRI messages as crictl prints them with `-o json`: field names in lowerCamelCase, 64-bit numbers as
// strings, enums by name, every field present (an unset message as null), maps sorted by key.
import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import {
  ContainerSchema,
  ImageSchema,
  PodSandboxSchema,
  PodSandboxStatusSchema,
  type Container,
  type Image,
  type PodSandbox,
  type PodSandboxStatusResponse,
} from "./generated/cri_pb.js";
import type { Json, JsonObject } from "../json.ts";

/** One item of `crictl pods -o json`. */
export function podJson(pod: PodSandbox): JsonObject {
  return messageJson(PodSandboxSchema, pod);
}

/** One item of `crictl ps -o json`. */
export function containerJson(container: Container): JsonObject {
  return messageJson(ContainerSchema, container);
}

/** One item of `crictl images -o json`. */
export function imageJson(image: Image): JsonObject {
  return messageJson(ImageSchema, image);
}

/** `crictl inspectp -o json`: the status with a readable time, then the runtime's verbose info. */
export function podStatusJson({ status, info }: PodSandboxStatusResponse): JsonObject {
  const inspected: JsonObject = {};
  if (status !== undefined)
    inspected["status"] = {
      ...messageJson(PodSandboxStatusSchema, status),
      createdAt: formatNanoseconds(status.createdAt),
    };
  for (const key of Object.keys(info).sort()) inspected[key] = infoValue(info[key] ?? "");
  return inspected;
}

/** A value of the verbose info: JSON where it looks like an object, else text without quotes. */
export function infoValue(text: string): Json {
  if (!text.startsWith("{")) return text.replace(/^"+|"+$/g, "");
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** Nanoseconds since the epoch as Go's RFC3339Nano in UTC: trailing zeros of the fraction dropped. */
export function formatNanoseconds(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanoseconds - fraction) / 1_000_000_000n;
  const whole = new Date(Number(seconds) * 1000)
    .toISOString()
    .slice(0, "2000-01-01T00:00:00".length);
  const digits = fraction.toString().padStart(9, "0").replace(/0+$/, "");
  return `${whole}${digits === "" ? "" : `.${digits}`}Z`;
}

function messageJson<D extends DescMessage>(schema: D, message: MessageShape<D>): JsonObject {
  return reflectedJson(reflect(schema, message));
}

function reflectedJson(message: ReflectMessage): JsonObject {
  return Object.fromEntries(
    message.fields.map((field) => [field.jsonName, fieldJson(message, field)]),
  );
}

function fieldJson(message: ReflectMessage, field: DescField): Json {
  switch (field.fieldKind) {
    case "message":
      return message.isSet(field) ? reflectedJson(message.get(field)) : null;
    case "list":
      return [...message.get(field)].map((item) => itemJson(field, item));
    case "map":
      return Object.fromEntries(
        [...message.get(field)]
          .map(([key, value]): [string, Json] => [String(key), itemJson(field, value)])
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      );
    case "enum":
    case "scalar":
    default:
      return itemJson(field, message.get(field));
  }
}

function itemJson(field: DescField, value: unknown): Json {
  if (field.enum !== undefined && typeof value === "number")
    return field.enum.value[value]?.name ?? value;
  if (field.message !== undefined) return reflectedJson(value as ReflectMessage);
  if (typeof value === "bigint") return value.toString();
  return typeof value === "boolean" || typeof value === "number" ? value : String(value);
}
