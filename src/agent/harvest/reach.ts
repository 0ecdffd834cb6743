// Finds out, before there is any core, whether the agent can collect files here. The doctor and the choice of a
// capture mode use it.
import { accessSync, constants } from "node:fs";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { missingCapabilities } from "../../host/capabilities.ts";
import { describeError } from "../../model/app-error.ts";
import type { Place } from "./container-place.ts";
import { Containers } from "./containers.ts";
import { isVisible, spotOf } from "./spots.ts";

/** What the agent can reach. */
export interface Reach {
  /** The number of containers whose /tmp can be read. */
  seen: number;
  /** The reason for each of the others. */
  unseen: string[];
  /** Why the runtime could not list containers; undefined where it could. */
  noRuntime: string | undefined;
  /** The capabilities for others' files that this process lacks. */
  lacking: readonly string[];
}

/**
 * The capabilities to read a core in another user's directory, to remove it from a sticky /tmp, and to see whether it
 * is still written.
 */
const WANTED = ["CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_LEASE"] as const;

/** Looks at every container. Never throws. */
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

/** Returns why cores cannot be found and removed in a place; undefined where they can. Its /tmp need not exist yet. */
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
