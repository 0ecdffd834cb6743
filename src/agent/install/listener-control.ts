// The port to the listener for installing and watching; tests use another adapter.
import type { Log } from "../../host/log.ts";
import {
  ensureListener,
  killListener,
  listenerState,
  stopListener,
  type ListenerPlaces,
  type ListenerState,
} from "./listener-process.ts";

/** Starts, checks and ends the listener. */
export interface ListenerControl {
  /** Returns whether a listener answers. Outside a pod it starts one where none does. */
  ensure(settings: ListenerPlaces, log: Log): Promise<boolean>;
  state(hostDir: string): Promise<ListenerState>;
  /** Kills a listener that holds the socket and does not answer. */
  kill(hostDir: string, log: Log): boolean;
  /** Ends a listener whose process can be seen from here; a container's is its runtime's. */
  stop(hostDir: string, log: Log): Promise<void>;
}

/** The real listener. */
export const LISTENER: ListenerControl = {
  ensure: ensureListener,
  state: listenerState,
  kill: killListener,
  stop: stopListener,
};
