// Where the core on stdin comes from, and what is known of its crash before anything is read of it.
import type { CoreSource } from "../model/composer-invocation.ts";
import type { CrashContext } from "../model/crash-context.ts";
import { openConnection, type Connection } from "./socket/connection.ts";
import { openCoreFile, type CoreFile } from "./waiting-core.ts";

export interface CrashSource {
  kind: CoreSource["kind"];
  crash: CrashContext;
  /** Where the core comes by the kernel's socket. */
  connection: Connection | undefined;
  /** Where it lies in a file: the crashed process is gone. */
  file: CoreFile | undefined;
  /** The host name of the node where ours is not it; the settings may name it otherwise. */
  nodeName: string | undefined;
}

/** `named` is the crash as the command line has it. Throws where `input` is not what `source` says. */
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
    const file = openCoreFile(input, source, named);
    return { kind, crash: file.crash, connection: undefined, file, nodeName: file.nodeName };
  }
  return { kind, crash: named, connection: undefined, file: undefined, nodeName: undefined };
}
