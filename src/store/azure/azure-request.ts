// A request to the blob service before it is signed.
import { refuseDotSegments } from "../key-path.ts";
import type { HttpRequest } from "../store-http.ts";

/** The version of the service's protocol: the first with index tags that every present cloud has. */
export const API_VERSION = "2021-12-02";

/** One request about the container or a blob in it. Names of headers are in lower case. */
export interface AzureRequest {
  method: HttpRequest["method"];
  /** The blob's name; undefined for the container itself. */
  key?: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: HttpRequest["body"];
  bodyBytes?: number;
  answerMaxBytes?: number;
  patience?: number;
}

/** Returns the address of a request, its query without any secret. Throws StoreError "name_refused". */
export function addressOf(endpoint: string, container: string, request: AzureRequest): URL {
  const path = request.key === undefined ? "" : `/${encodeKey(request.key)}`;
  const url = new URL(`${endpoint}/${container}${path}`);
  for (const [name, value] of Object.entries(request.query ?? {}))
    url.searchParams.set(name, value);
  return url;
}

function encodeKey(key: string): string {
  refuseDotSegments(key);
  return key.split("/").map(encodeURIComponent).join("/");
}
