// A debuginfod server on the loopback for the length of one debugging session: debuggers cannot sign requests, so a
// private store answers them through us. Its address holds a secret, because other users of the machine reach the port.
import { describeError } from "../../model/app-error.ts";
import type { StoreReader } from "../../store/store-port.ts";
import { answerModule } from "../../store/module-answer.ts";

/** The server. */
export interface DebuginfodServer {
  /** For DEBUGINFOD_URLS. */
  url: string;
  stop(): Promise<void>;
}

/**
 * Serves the store's modules, but for the executables whose ids are in `refused`.
 */
export function serveModules(
  store: StoreReader,
  prefix: string,
  refused: ReadonlySet<string>,
): DebuginfodServer {
  const secret = crypto.randomUUID();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch({ method, url }) {
      const { pathname } = new URL(url);
      const inside = pathname.startsWith(`/${secret}/`) ? pathname.slice(secret.length + 1) : "";
      const [, , id = "", artifact] = inside.split("/");
      if (artifact === "executable" && refused.has(id)) return new Response(null, { status: 404 });
      try {
        return (
          (await answerModule({ method, pathname: inside }, store, prefix)) ??
          new Response(null, { status: 404 })
        );
      } catch (error) {
        return new Response(`${describeError(error)}\n`, { status: 502 });
      }
    },
  });
  return { url: `http://127.0.0.1:${server.port}/${secret}`, stop: () => server.stop(true) };
}
