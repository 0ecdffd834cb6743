// Can files be collected from here at all? What the doctor and the choice of a mode ask, before any core lies there.
import { accessSync, constants } from "node:fs";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { missingCapabilities } from "../../host/capabilities.ts";
import { describeError } from "../../model/app-error.ts";
import type { Place } from "./container-place.ts";
import { Containers } from "./containers.ts";
import { isVisible, spotOf } from "./spots.ts";

export interface Reach {
  /** Containers whose /tmp can be looked into. */
  seen: number;
  /** Why not, for each of the others. */
  unseen: string[];
  /** Why no container can be asked for. */
  noRuntime: string | undefined;
  /** Rights over others' files that this process has not. */
  lacking: readonly string[];
}

/** Of a core in another's directory: read it, remove it from a sticky /tmp, see whether it is still written. */
const WANTED = ["CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_LEASE"] as const;

/** Never throws. */
export async function readReach(
  { CRIO_ENDPOINT }: Pick<AgentSettings, "CRIO_ENDPOINT">,
  signal: AbortSignal,
): Promise<Reach> {
  const lacking = missingCapabilities(WANTED);
  try {
    const { added } = await new Containers(CRIO_ENDPOINT).refresh(signal);
    const reach: Reach = { seen: 0, unseen: [], noRuntime: undefined, lacking };
    for (const { namespace, podname, place } of added) {
      const why = whyOutOfReach(place);
      if (why === undefined) reach.seen++;
      else reach.unseen.push(`${namespace}/${podname}: ${why}`);
    }
    return reach;
  } catch (error) {
    return { seen: 0, unseen: [], noRuntime: describeError(error), lacking };
  }
}

/** undefined for a place where cores can be found and removed. Its /tmp need not be there yet. */
export function whyOutOfReach(place: Place): string | undefined {
  if (place.kind === "none") return place.why;
  const spot = spotOf(place);
  if (spot === undefined || isVisible(spot)) return whyFixed(spot?.path ?? "/");
  return `${spot.path} cannot be seen from here`;
}

function whyFixed(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch {
    return `${path} cannot be written to from here`;
  }
}
