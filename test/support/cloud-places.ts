// Azure's and Google's stores behind the proxy that injects faults.
import { startFaultProxy, type FaultProxy } from "./fault-proxy.ts";
import { STORE_KINDS, type Place, type StoreKind } from "./store-places.ts";

/** The two servers: Azurite, and ours for Cloud Storage. */
export const CLOUD_KINDS: readonly StoreKind[] = STORE_KINDS.filter(({ name }) =>
  ["Azurite", "Cloud Storage in memory"].includes(name),
);

export interface CloudPlace extends Place {
  proxy: FaultProxy;
}

/** Opens an empty store whose requests go through a proxy. */
export async function openBehindProxy(kind: StoreKind): Promise<CloudPlace> {
  const place = await kind.open();
  const variable = kind.adapter === "azure" ? "STORE_URL" : "STORAGE_EMULATOR_HOST";
  const direct = place.variables[variable] ?? "";
  const { origin } = new URL(direct);
  const proxy = await startFaultProxy(origin);
  const variables = { ...place.variables, [variable]: direct.replace(origin, proxy.endpoint) };
  return {
    ...place,
    variables,
    proxy,
    async close() {
      proxy.stop();
      await place.close();
    },
  };
}

/** A request that carries a part of a dump. */
export function isPart(method: string, url: string): boolean {
  return method === "PUT" && /comp=block&|upload_id=/.test(url);
}

/** Matches the n-th request that carries a part, counted from 1. */
export function nthPart(wanted: number): (method: string, url: string) => boolean {
  let seen = 0;
  return (method, url) => isPart(method, url) && ++seen === wanted;
}
