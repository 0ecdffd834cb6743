// The listener of socket mode, as installing and watching see it. What it is: src/listener/.
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { Log } from "../../host/log.ts";

export interface ListenerControl {
  /** Outside a pod it starts one where none answers. True when one answers. */
  ensure(settings: AgentSettings, log: Log): Promise<boolean>;
  answers(hostDir: string): Promise<boolean>;
  /** Ends one that we have started; a container's own is its runtime's. */
  stop(hostDir: string): Promise<void>;
}

/** Until there is one. */
export const LISTENER: ListenerControl = {
  ensure: async () => false,
  answers: async () => false,
  stop: async () => {},
};
