// What `list` is asked for; command/list-options.ts makes it of a command line.
import type { ListOptions } from "./list.ts";

/** What `list` lists, and how. */
export interface ListRequest {
  /** A folder in place of CORE_DIR or the store. */
  folder: string | undefined;
  store: boolean;
  filter: ListOptions;
  /** Whether to list bugs with what is known of their dumps. */
  byBug: boolean;
  /** How many of the newest; undefined for all. */
  last: number | undefined;
  /** Whether the newest comes first. */
  reverse: boolean;
  format: "table" | "wide" | "json" | "name";
  /** Whether a table has its first line. */
  heading: boolean;
}
