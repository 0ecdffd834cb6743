// Signs requests with the account's key ("Authorize with Shared Key", Azure Storage REST reference).
import { createHmac } from "node:crypto";

/** The headers of the string to sign, in its order. */
const SIGNED = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
] as const;

/** Returns the Authorization header. `headers` are all of the request's, with names in lower case. */
export function sharedKeyHeader(
  { account, key }: { account: string; key: string },
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
): string {
  const values = SIGNED.map((name) => {
    const value = headers[name] ?? "";
    return name === "content-length" && value === "0" ? "" : value;
  });
  const own = Object.keys(headers)
    .filter((name) => name.startsWith("x-ms-"))
    .sort()
    .map((name) => `${name}:${headers[name]?.trim()}\n`);
  const query = [...url.searchParams]
    .map(([name, value]) => `\n${name.toLowerCase()}:${value}`)
    .sort();
  const resource = `/${account}${url.pathname}${query.join("")}`;
  const text = `${method}\n${values.join("\n")}\n${own.join("")}${resource}`;
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
  return `SharedKey ${account}:${signature}`;
}
