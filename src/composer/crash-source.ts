// Where the core on stdin comes from, and what is known about its crash before anything of the core is read.
import type { CoreSource } from "../model/composer-invocation.ts";
import type { CrashContext } from "../model/crash-context.ts";
import { openConnection, type Connection } from "./socket/connection.ts";
import { openWaitingCore, type CoreFile } from "./waiting-core.ts";

/** The source of one core. */
export interface CrashSource {
  kind: CoreSource["kind"];
  crash: CrashContext;
  /** The connection, where the core comes through the kernel's socket. */
  connection: Connection | undefined;
  /** The file, where the core comes from one; the crashed process has ended then. */
  file: CoreFile | undefined;
  /** The node's host name, where this process sees another one; NODE_NAME in the settings wins. */
  nodeName: string | undefined;
}

/**
 * Opens the source. `named` is the crash as the command line describes it. Throws where `input` is not of the kind that
 * `source` names.
 */
export function openCrashSource(
  input: number,
  source: CoreSource,
  named: CrashContext,
  nowSeconds: number,
): CrashSource {
  const { kind } = source;
  if (kind === "socket") {
    const connection = openConnection(input, nowSeconds);
    const { crash, nodeName } = connection;
    return { kind, crash, connection, file: undefined, nodeName };
  }
  if (kind === "file") {
    const file = openWaitingCore(input, source, named);
    return { kind, crash: file.crash, connection: undefined, file, nodeName: file.nodeName };
  }
  return { kind, crash: named, connection: undefined, file: undefined, nodeName: undefined };
}
