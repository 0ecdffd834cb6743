// Where the core on stdin comes from. The kernel's own start of `cdc` says nothing of it; the listener and the
// agent, which start `core-dump-handler composer`, say it before all other arguments. What stands later on the
// line may come from the crashed process and is not looked at.
import { AppError } from "./app-error.ts";

export type CoreSource =
  /** The kernel's pipe: the arguments are core_pattern's. */
  | { kind: "pipe" }
  /** A connection of the kernel's coredump socket: who crashed is asked of the connection. */
  | { kind: "socket" }
  /** A finished file: the arguments come from its name, the process is gone. */
  | FileSource;

export interface FileSource {
  kind: "file";
  /** Whose file it is; null where that is not known, or nobody's container. */
  containerId: string | null;
  /**
   * The descriptor of a file with pod and container in it, as the runtime told of them when the core was found, as
   * JSON. Not the words themselves: annotations may hold secrets, and anybody on the host can read a command line.
   */
  knownFd: number | null;
  /** A zip that cannot hold the whole core is published all the same: it was tried often enough. */
  keepsCut: boolean;
  /** The node's host name, where ours is a pod's. */
  nodeName: string | null;
}

export interface Invocation {
  /** Where `.env` and composer.log are, if not beside the executable. */
  hostDir: string | undefined;
  source: CoreSource;
  /** What is left: the command line of the contract. */
  args: readonly string[];
}

const OPTION = /^--(host-dir|source|container|known-fd|cut|node)=(.*)$/s;

/** The arguments that start a composer by hand, `composer` included; what parseInvocation takes stands behind it. */
export function formatInvocation({ hostDir, source, args }: Invocation): string[] {
  return ["composer", ...option("host-dir", hostDir ?? null), ...formatSource(source), ...args];
}

function formatSource(source: CoreSource): string[] {
  if (source.kind !== "file") return option("source", source.kind);
  const { containerId, knownFd, keepsCut, nodeName } = source;
  return [
    ...option("source", "file"),
    ...option("node", nodeName),
    ...option("container", containerId),
    ...option("known-fd", knownFd === null ? null : String(knownFd)),
    ...option("cut", keepsCut ? "keep" : null),
  ];
}

function option(name: string, value: string | null): string[] {
  return value === null ? [] : [`--${name}=${value}`];
}

/** Throws AppError "usage" for a source that is not known. */
export function parseInvocation(args: readonly string[]): Invocation {
  const given = new Map<string, string>();
  let at = 0;
  for (
    let match = OPTION.exec(args[0] ?? "");
    match !== null;
    match = OPTION.exec(args[at] ?? "")
  ) {
    given.set(match[1] ?? "", match[2] ?? "");
    at++;
  }
  const source = parseSource(given);
  return { hostDir: given.get("host-dir"), source, args: args.slice(at) };
}

function parseSource(given: ReadonlyMap<string, string>): CoreSource {
  const kind = given.get("source") ?? "pipe";
  const valueOf = (name: string) => given.get(name) || null;
  if (kind === "pipe" || kind === "socket") return { kind };
  if (kind === "file")
    return {
      kind,
      containerId: valueOf("container"),
      knownFd: parseDescriptor(valueOf("known-fd")),
      keepsCut: given.get("cut") === "keep",
      nodeName: valueOf("node"),
    };
  throw new AppError("usage", `--source is ${JSON.stringify(kind)}; expected pipe, socket or file`);
}

function parseDescriptor(text: string | null): number | null {
  return text !== null && /^\d{1,4}$/.test(text) ? Number(text) : null;
}
