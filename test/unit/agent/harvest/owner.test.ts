import { expect, test } from "bun:test";
import type { ContainerRecord } from "../../../../src/agent/harvest/containers.ts";
import { chooseOwner, findOwner, namespaceOf } from "../../../../src/agent/harvest/owner.ts";
import type { Spot } from "../../../../src/agent/harvest/spots.ts";
import { parseCoreFileName, type CoreFileName } from "../../../../src/model/core-file-pattern.ts";
import { containerRecord, coreName } from "../../../support/core-spot.ts";

const FINISHED = { exitCode: 139, finishedMs: 1_790_000_000_500 };

function factsOf(options: { pid?: number; signal?: number } = {}): CoreFileName {
  const facts = parseCoreFileName(coreName("app", options));
  if (facts === undefined) throw new Error("no name of the pattern's");
  return facts;
}

const alive = containerRecord("alive");
const crashed = containerRecord("crashed", { exit: FINISHED });
const elsewhere = containerRecord("elsewhere", { pod: { id: "another" } });

test("a directory of one container's is that container's", () => {
  expect(chooseOwner(factsOf(), [alive])).toEqual({ container: alive, pod: alive.pod });
});

test("of several, it is the one that ended by the core's signal at its time", () => {
  expect(chooseOwner(factsOf(), [alive, crashed]).container).toBe(crashed);
  expect(chooseOwner(factsOf({ signal: 6 }), [alive, crashed]).container).toBeUndefined();
  const late = { exitCode: 139, finishedMs: FINISHED.finishedMs + 3_600_000 };
  const owners = [alive, containerRecord("late", { exit: late })];
  expect(chooseOwner(factsOf(), owners).container).toBeUndefined();
});

test("where that does not tell, the pod is known, unless there are several", () => {
  const deep = factsOf({ pid: 7 });
  expect(chooseOwner(deep, [alive, crashed])).toEqual({ container: undefined, pod: alive.pod });
  expect(chooseOwner(deep, [alive, elsewhere])).toEqual({ container: undefined, pod: null });
  expect(chooseOwner(deep, [])).toEqual({ container: undefined, pod: null });
});

const spotOf = (isLayer: boolean, ...owners: ContainerRecord[]): Spot => ({
  path: "/x",
  isLayer,
  owners: new Map(owners.map((owner) => [owner.id, owner])),
});

test("a layer has one owner: nobody is asked", async () => {
  const refresh = () => Promise.reject(new Error("asked"));
  const core = { spot: spotOf(true, alive), owners: [alive], facts: factsOf() };
  expect((await findOwner(core, refresh)).container).toBe(alive);
});

test("a volume may have more owners than were known when the core was found", async () => {
  const spot = spotOf(false, alive);
  const refresh = async () => void spot.owners.set(crashed.id, crashed);
  expect((await findOwner({ spot, owners: [alive], facts: factsOf() }, refresh)).container).toBe(
    crashed,
  );
});

test("the runtime tells of the end a little later; an owner that is gone since still counts", async () => {
  const [spot, ending] = [spotOf(false, alive), containerRecord("ending")];
  let asked = 0;
  const refresh = async () => {
    if (++asked === 3) ending.exit = FINISHED;
  };
  const core = { spot, owners: [alive, ending], facts: factsOf() };
  expect((await findOwner(core, refresh, 1)).container).toBe(ending);
  expect(asked).toBe(3);
});

test("a process that is not the first ends no container: that is not waited for", async () => {
  let asked = 0;
  const refresh = async () => void asked++;
  const owners = [alive, crashed];
  const core = { spot: spotOf(false, ...owners), owners, facts: factsOf({ pid: 7 }) };
  expect((await findOwner(core, refresh, 1)).container).toBeUndefined();
  expect(asked).toBe(1);
});

test("cores have their turn with their namespace; several that share a directory are nobody's", () => {
  const other = containerRecord("other", { namespace: "other" });
  expect(namespaceOf([alive, crashed])).toBe("default");
  expect(namespaceOf([alive, other])).toBe("(unknown)");
  expect(namespaceOf([])).toBe("(host)");
});
