// Can files be collected from here at all? What the doctor and the choice of a mode ask, before any core lies there.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { describeError } from "../../model/app-error.ts";
import { Containers } from "./containers.ts";
import { isVisible, spotOf } from "./spots.ts";

export interface Reach {
  /** Containers whose /tmp can be looked into. */
  seen: number;
  /** Why not, for each of the others. */
  unseen: string[];
  /** Why no container can be asked for. */
  noRuntime: string | undefined;
}

/** Never throws. */
export async function readReach(
  { CRIO_ENDPOINT }: Pick<AgentSettings, "CRIO_ENDPOINT">,
  signal: AbortSignal,
): Promise<Reach> {
  try {
    const { added } = await new Containers(CRIO_ENDPOINT).refresh(signal);
    const reach: Reach = { seen: 0, unseen: [], noRuntime: undefined };
    for (const { namespace, podname, place } of added) {
      const spot = spotOf(place);
      if (spot !== undefined && isVisible(spot)) reach.seen++;
      else reach.unseen.push(`${namespace}/${podname}: ${whyUnseen(place)}`);
    }
    return reach;
  } catch (error) {
    return { seen: 0, unseen: [], noRuntime: describeError(error) };
  }
}

function whyUnseen(place: Parameters<typeof spotOf>[0]): string {
  if (place.kind === "none") return place.why;
  const path = place.kind === "layer" ? place.upperDir : place.path;
  return `${path} cannot be seen from here`;
}
