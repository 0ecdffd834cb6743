// The listener of socket mode, as installing and watching use it: tests put another one in its place.
import type { Log } from "../../host/log.ts";
import {
  ensureListener,
  killListener,
  listenerState,
  stopListener,
  type ListenerSettings,
  type ListenerState,
} from "./listener-process.ts";

export interface ListenerControl {
  /** Outside a pod it starts one where none answers. True when one answers. */
  ensure(settings: ListenerSettings, log: Log): Promise<boolean>;
  state(hostDir: string): Promise<ListenerState>;
  /** Kills one that holds the socket and does not answer. */
  kill(hostDir: string, log: Log): boolean;
  /** Ends one that is to be seen from here; a container's own is its runtime's. */
  stop(hostDir: string, log: Log): Promise<void>;
}

export const LISTENER: ListenerControl = {
  ensure: ensureListener,
  state: listenerState,
  kill: killListener,
  stop: stopListener,
};
