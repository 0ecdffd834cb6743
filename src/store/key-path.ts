// Keys as paths: within an address, and in a template.
import { StoreError } from "./store-error.ts";

/** Throws StoreError "name_refused" for a key with a segment . or .., which an address would resolve away. */
export function refuseDotSegments(key: string): void {
  if (key.split("/").some((segment) => segment === "." || segment === ".."))
    throw new StoreError("name_refused", `no object can be called ${key}`);
}

/**
 * Returns the part of the key template before its first field, because the agent's rights may cover only that prefix.
 */
export function fixedFolderOf(template: string): string {
  const fixed = template.split("{", 1)[0] ?? "";
  return fixed.slice(0, fixed.lastIndexOf("/") + 1);
}
