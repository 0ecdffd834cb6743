// What the options of `list` mean together.
import { AppError } from "../model/app-error.ts";
import { bareSignalName } from "../model/signal-name.ts";
import { parseMoment } from "../model/time-text.ts";
import type { ListRequest } from "../reading/list-request.ts";

/** The words of --output. */
export const LIST_FORMATS = ["table", "wide", "json", "name"] as const;

/** The values of the options, by their names. */
export interface ListOptionValues {
  readonly store?: boolean;
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
  readonly last?: string;
  readonly reverse?: boolean;
  readonly namespace?: string;
  readonly pod?: string;
  readonly container?: string;
  readonly exe?: string;
  readonly signal?: string;
  readonly prefix?: string;
  readonly output?: string;
  readonly json?: boolean;
  readonly "no-headers"?: boolean;
}

/** Returns what is wanted. Throws AppError "usage" for values that mean nothing, or contradict one another. */
export function readListOptions(
  folder: string | undefined,
  options: ListOptionValues,
  nowMs: number,
): ListRequest {
  const { store = false, by, since, until, last, output, json = false } = options;
  if (by !== undefined && by !== "bug")
    throw new AppError("usage", `list --by is ${JSON.stringify(by)}; expected bug`);
  if (store && folder !== undefined)
    throw new AppError("usage", "list takes a folder or --store, not both");
  const format = LIST_FORMATS.find((each) => each === (output ?? (json ? "json" : "table")));
  if (format === undefined || (json && format !== "json"))
    throw new AppError(
      "usage",
      `list --output is ${JSON.stringify(output)}; expected wide, json or name`,
    );
  if (options.signal !== undefined && bareSignalName(options.signal) === undefined)
    throw new AppError("usage", `list --signal is ${JSON.stringify(options.signal)}, no signal`, {
      hint: "write SIGSEGV, segv or 11",
    });
  const { namespace = "", pod = "", container = "", exe = "", signal = "", prefix = "" } = options;
  return {
    folder,
    store,
    byBug: by === "bug",
    filter: {
      prefix,
      namespace,
      pod,
      container,
      exe,
      signal,
      sinceMs: since === undefined ? 0 : parseMoment("--since", since, nowMs),
      untilMs: until === undefined ? Infinity : parseMoment("--until", until, nowMs),
    },
    last: last === undefined ? undefined : readCount(last),
    reverse: options.reverse === true,
    format,
    heading: options["no-headers"] !== true,
  };
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new AppError("usage", `list --last is ${JSON.stringify(text)}, no number`, {
    hint: "-n N shows the newest N; --namespace NS chooses a namespace",
  });
}
