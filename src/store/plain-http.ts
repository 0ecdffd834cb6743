// Tokens and plain http.
import { AppError } from "../model/app-error.ts";

/**
 * Throws AppError "configuration" where a token would go over plain http to another machine: whoever sees it there may
 * use it for an hour.
 */
export function refusePlainHttp(address: string, variable: string): void {
  const { protocol, hostname } = new URL(address);
  const isLoopback = /^(?:127(?:\.\d+){3}|localhost|\[::1\])$/.test(hostname);
  if (protocol === "http:" && !isLoopback)
    throw new AppError("configuration", `${address} is plain http, by which no token is sent`, {
      hint: `write https:// in ${variable}`,
    });
}
