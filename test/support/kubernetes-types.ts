// Checks a manifest against the types that Kubernetes' own client is generated from: an unknown field or a
// wrong type is named. kubectl without a cluster does not do this.
import * as kubernetes from "@kubernetes/client-node";

interface Attribute {
  baseName: string;
  type: string;
}
interface Model {
  getAttributeTypeMap(): Attribute[];
}

const SCALARS: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  any: () => true,
  object: () => true,
  Date: () => true,
  IntOrString: (value) => typeof value === "string" || typeof value === "number",
  Quantity: (value) => typeof value === "string" || typeof value === "number",
};

/** What is wrong with the manifest; empty when nothing is. */
export function findTypeErrors(manifest: { apiVersion: string; kind: string }): string[] {
  const [group, version = group ?? ""] = manifest.apiVersion.split("/");
  const named = group === "v1" || (group ?? "").endsWith("k8s.io") || (group ?? "") === "apps";
  if (!named && !(group ?? "").match(/^(apps|batch|policy)$/))
    return [`${manifest.apiVersion} ${manifest.kind}: not a type of Kubernetes itself`];
  const typeName = `${version.charAt(0).toUpperCase()}${version.slice(1)}${manifest.kind}`;
  return checkValue(manifest, typeName, manifest.kind);
}

function checkValue(value: unknown, type: string, at: string): string[] {
  if (value === null || value === undefined) return [];
  const items = /^Array<(.*)>$/.exec(type)?.[1];
  if (items !== undefined)
    return Array.isArray(value)
      ? value.flatMap((item, index) => checkValue(item, items, `${at}[${index}]`))
      : [`${at}: want a list, got ${typeof value}`];
  const entries = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (entries !== undefined)
    return typeof value === "object"
      ? Object.entries(value).flatMap(([key, item]) => checkValue(item, entries, `${at}.${key}`))
      : [`${at}: want a map, got ${typeof value}`];
  const scalar = SCALARS[type];
  if (scalar !== undefined)
    return scalar(value) ? [] : [`${at}: want ${type}, got ${typeof value}`];
  return checkObject(value, type, at);
}

function checkObject(value: unknown, type: string, at: string): string[] {
  const model = modelOf(type);
  if (model === undefined) return [`${at}: Kubernetes knows no type ${type}`];
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [`${at}: want ${type}, got ${typeof value}`];
  const attributes = new Map(model.getAttributeTypeMap().map((each) => [each.baseName, each.type]));
  return Object.entries(value).flatMap(([key, item]) => {
    const attribute = attributes.get(key);
    return attribute === undefined
      ? [`${at}.${key}: unknown field`]
      : checkValue(item, attribute, `${at}.${key}`);
  });
}

function modelOf(type: string): Model | undefined {
  const found: unknown = (kubernetes as unknown as Record<string, unknown>)[type];
  return typeof found === "function" && "getAttributeTypeMap" in found
    ? (found as unknown as Model)
    : undefined;
}
