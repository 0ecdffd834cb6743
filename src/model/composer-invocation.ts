// Where the composer's core comes from. The kernel, which starts `cdc`, passes no argument for it. The listener and
// the agent, which start `core-dump-handler composer`, name the source before all other arguments. The parser ignores
// later arguments, because the crashed process may have chosen them.
import { AppError } from "./app-error.ts";

/** How the core reaches the composer, and who knows which process crashed. */
export type CoreSource =
  /** The kernel's pipe: the arguments are core_pattern's. */
  | { kind: "pipe" }
  /** A connection of the kernel's coredump socket: the composer asks the connection which process crashed. */
  | { kind: "socket" }
  /** A finished file: the arguments come from its name, the process is gone. */
  | FileSource;

/** A core that the harvest found as a file. */
export interface FileSource {
  kind: "file";
  /** The container that the file was in; null where it is unknown or the file was in no container. */
  containerId: string | null;
  /**
   * The descriptor of a file that holds pod and container as JSON, as the runtime described them when the harvest found
   * the core. They are not arguments: annotations may hold secrets, and anybody on the host can read a command line.
   */
  knownFd: number | null;
  /** True after enough attempts: the composer then publishes even a zip that does not hold the whole core. */
  keepsCut: boolean;
  /** The node's host name, for a composer that runs in a pod and sees the pod's; else null. */
  nodeName: string | null;
}

/** A composer's whole command line. */
export interface Invocation {
  /** Where `.env` and composer.log are, if not beside the executable. */
  hostDir: string | undefined;
  /** The dump's, where whoever starts the composer means to find its lines in composer.log; else it makes one. */
  uuid?: string | undefined;
  source: CoreSource;
  /** The remaining arguments: the command line of docs/contract.md, section 2. */
  args: readonly string[];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const OPTION = /^--(host-dir|uuid|source|container|known-fd|cut|node)=(.*)$/s;

/**
 * Writes the arguments that start a composer, beginning with the command `composer`. parseInvocation reads those behind
 * it.
 */
export function formatInvocation({ hostDir, uuid, source, args }: Invocation): string[] {
  return [
    "composer",
    ...option("host-dir", hostDir ?? null),
    ...option("uuid", uuid ?? null),
    ...formatSource(source),
    ...args,
  ];
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

/** Parses the arguments behind the command `composer`. Throws AppError "usage" for an unknown source. */
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
  const uuid = given.get("uuid");
  return {
    hostDir: given.get("host-dir"),
    // It becomes a file's name.
    ...(uuid !== undefined && UUID.test(uuid) ? { uuid } : {}),
    source,
    args: args.slice(at),
  };
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
