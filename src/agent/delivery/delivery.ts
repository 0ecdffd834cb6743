// The port between sweep and delivery. Its implementation takes this file's place.
import { AppError } from "../../model/app-error.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { Log } from "../../host/log.ts";

export type DeliveryOutcome =
  | { kind: "delivered"; key: string; sizeBytes: number }
  | { kind: "busy" }
  | { kind: "waiting"; retryAtMs: number }
  | { kind: "failed"; error: unknown; retryAtMs: number };

export interface Delivery {
  deliver(zipPath: string, signal: AbortSignal): Promise<DeliveryOutcome>;
}

export function openDelivery(_settings: AgentSettings, _log: Log): Delivery {
  throw new AppError("store", "delivery is not there yet");
}
