import { expect, test } from "bun:test";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Composed } from "../../../../src/agent/harvest/composing.ts";
import { CoreQueue } from "../../../../src/agent/harvest/core-queue.ts";
import type { FoundCore } from "../../../../src/agent/harvest/found-core.ts";
import { withSpot, type TestSpot } from "../../../support/core-spot.ts";
import { recordedLog } from "../../../support/recorded-log.ts";

interface Started {
  core: FoundCore;
  input: number;
  keepsCut: boolean;
  end: (composed: Composed) => void;
}

/** A queue whose composers end when the test says so. */
function openQueue() {
  const started: Started[] = [];
  const outcomes: string[] = [];
  const log = recordedLog();
  const queue = new CoreQueue({
    log,
    compose: (core, input, keepsCut) => {
      const { promise, resolve } = Promise.withResolvers<Composed>();
      started.push({ core, input, keepsCut, end: resolve });
      return promise;
    },
    onTaken: (_, isRemoved) => outcomes.push(isRemoved ? "taken" : "not removed"),
    onRefused: (_, why) => outcomes.push(`refused: ${why}`),
    onFailed: () => outcomes.push("failed"),
    onLeft: () => outcomes.push("left"),
  });
  const add = ({ find }: TestSpot, exe: string) => {
    const finding = find(exe);
    if (finding.kind !== "core") throw new Error(JSON.stringify(finding));
    queue.add(finding.core);
  };
  /** Ends the composer that was started as number n, and lets the queue take note. */
  const end = async (n: number, composed: Composed) => {
    started[n]?.end(composed);
    await Bun.sleep(0);
  };
  return { queue, started, outcomes, log, add, end };
}

const DONE: Composed = { kind: "done" };

test("a core is removed when its zip is published, and not before", () =>
  withSpot(async (spot) => {
    const { queue, started, outcomes, add, end } = openQueue();
    const path = await spot.put("app");
    add(spot, "app");
    queue.turn();
    expect(readFileSync(started[0]?.input ?? -1)).toHaveLength(1000);
    expect(readFileSync(path)).toHaveLength(1000);
    await end(0, DONE);
    expect(existsSync(path)).toBe(false);
    expect(outcomes).toEqual(["taken"]);
    expect(queue.size).toBe(0);
  }));

const SHOP = { namespace: "shop" };
const BANK = { namespace: "bank" };
const MALLORY = { namespace: "mallory" };

test("two composers at once, and one for each namespace: nobody stands in another's way", () =>
  withSpot(
    (greedy) =>
      withSpot(
        (second) =>
          withSpot(async (third) => {
            const { queue, started, add, end } = openQueue();
            for (const exe of ["a", "b", "c"]) await greedy.put(exe);
            for (const spot of [second, third]) await spot.put("app");
            for (const exe of ["a", "b", "c"]) add(greedy, exe);
            for (const spot of [second, third]) add(spot, "app");
            queue.turn();
            queue.turn();
            const spots = () => started.map(({ core }) => core.spot);
            expect(spots()).toEqual([greedy.spot, second.spot]);
            await end(1, DONE);
            queue.turn();
            expect(spots()).toEqual([greedy.spot, second.spot, third.spot]);
            await end(0, DONE);
            queue.turn();
            expect(spots().at(-1)).toBe(greedy.spot);
            await end(2, DONE);
            await end(3, DONE);
            queue.turn();
            await end(4, DONE);
            expect(queue.size).toBe(0);
          }, BANK),
        SHOP,
      ),
    MALLORY,
  ));

test("namespaces have their turns, however many containers and cores one has", () =>
  withSpot(
    (first) =>
      withSpot(
        (second) =>
          withSpot(async (victim) => {
            const { queue, started, add, end } = openQueue();
            for (const spot of [first, second])
              for (let core = 0; core < 4; core++) {
                await spot.put(`core-${core}`);
                add(spot, `core-${core}`);
              }
            await victim.put("v-1");
            await victim.put("v-2");
            queue.turn();
            add(victim, "v-1");
            add(victim, "v-2");
            queue.turn();
            const spots = () => started.map(({ core }) => core.spot);
            expect(spots()).toEqual([first.spot, victim.spot]);
            await end(1, DONE);
            await end(0, DONE);
            queue.turn();
            expect(new Set(spots().slice(2))).toEqual(new Set([first.spot, victim.spot]));
            queue.close();
            for (const { end: finish } of started) finish(DONE);
            await queue.settled();
          }, SHOP),
        MALLORY,
      ),
    MALLORY,
  ));

test("a namespace that has taken all places gives one up to another", () =>
  withSpot(async (victim) => {
    const { queue, add } = openQueue();
    const fill = async (left: number): Promise<void> => {
      if (left > 0)
        return withSpot((greedy) => fillSpot(greedy, () => fill(left - 1)), {
          namespace: `mallory-${left % 4}`,
        });
      expect(queue.size).toBe(256);
      expect(queue.hasRoomFor(victim.spot)).toBe(true);
      await victim.put("core");
      add(victim, "core");
      expect(queue.size).toBe(256);
      queue.close();
    };
    const fillSpot = async (greedy: TestSpot, then: () => Promise<void>) => {
      for (let put = 0; queue.hasRoomFor(greedy.spot); put++) {
        await greedy.put(`core-${put}`);
        add(greedy, `core-${put}`);
      }
      await then();
    };
    await fill(20);
  }, SHOP));

test("a core of which a zip cannot hold all is tried again, then kept in part and left where it is", () =>
  withSpot(async (spot) => {
    const { queue, started, outcomes, log, add, end } = openQueue();
    const path = await spot.put("large");
    add(spot, "large");
    for (let n = 0; n < 9; n++) {
      queue.turn(Date.now() + 3_600_000 * n);
      await end(n, { kind: "cut", why: "no room" });
    }
    expect(started.map(({ keepsCut }) => keepsCut)).toEqual([false, false, false, true]);
    expect(outcomes).toEqual(["failed", "failed", "failed", "left"]);
    expect(log.events.at(-1)).toMatchObject({ event: "core_file_left", fields: { file: path } });
    expect(readFileSync(path)).toHaveLength(1000);
    expect(queue.size).toBe(0);
  }));

test("one that could be held whole after all is taken", () =>
  withSpot(async (spot) => {
    const { queue, outcomes, add, end } = openQueue();
    const path = await spot.put("large");
    add(spot, "large");
    queue.turn();
    await end(0, { kind: "cut", why: "no room" });
    queue.turn(Date.now() + 3_600_000);
    await end(1, DONE);
    expect(outcomes).toEqual(["failed", "taken"]);
    expect(existsSync(path)).toBe(false);
  }));

test("a composer that failed is started again, from the core's beginning, after a pause", () =>
  withSpot(async (spot) => {
    const { queue, started, outcomes, log, add, end } = openQueue();
    const path = await spot.put("app");
    add(spot, "app");
    queue.turn();
    readFileSync(started[0]?.input ?? -1);
    await end(0, { kind: "failed", why: "no room" });
    queue.turn();
    expect(started).toHaveLength(1);
    queue.turn(Date.now() + 3_600_000);
    expect(readFileSync(started[1]?.input ?? -1)).toHaveLength(1000);
    await end(1, DONE);
    expect(outcomes).toEqual(["failed", "taken"]);
    expect(log.events[0]).toMatchObject({
      event: "core_file_failed",
      fields: { file: path, tries: 1, error: "no room" },
    });
  }));

test("a core that only we still hold is given up after many tries; one with a name never is", () =>
  withSpot(async (spot) => {
    const { queue, started, log, add, end } = openQueue();
    const path = await spot.put("gone");
    await spot.put("there");
    add(spot, "gone");
    add(spot, "there");
    await rm(path);
    for (let n = 0; n < 40; n++) {
      queue.turn(Date.now() + 3_600_000 * (n + 1));
      await end(started.length - 1, { kind: "failed", why: "no room" });
    }
    expect(queue.size).toBe(1);
    expect(started.filter(({ core }) => core.name.includes("gone"))).toHaveLength(10);
    const givenUp = log.events.filter(({ event }) => event === "core_file_given_up");
    expect(givenUp.map(({ fields }) => fields["file"])).toEqual([path]);
    queue.close();
  }));

test("a core that is being written holds no place; when it takes long, that is said once", () =>
  withSpot(async (spot) => {
    const { queue, started, log, add, end } = openQueue();
    const writer = openSync(await spot.put("written"), "r+");
    await spot.put("done");
    add(spot, "written");
    add(spot, "done");
    queue.turn();
    expect(started.map(({ core }) => core.name.toString())).toEqual([
      expect.stringContaining("done"),
    ]);
    await end(0, DONE);
    for (const minutes of [11, 12, 13]) queue.turn(Date.now() + minutes * 60_000);
    expect(log.names()).toEqual(["core_file_still_written"]);
    closeSync(writer);
    queue.turn(Date.now() + 3_600_000);
    await end(1, DONE);
    expect(queue.size).toBe(0);
  }));

test("what a composer works on when the queue closes is still removed by it, and nothing else is", () =>
  withSpot((running) =>
    withSpot(async (waiting) => {
      const { queue, outcomes, add, end } = openQueue();
      const [path, other] = [await running.put("app"), await waiting.put("app")];
      add(running, "app");
      queue.turn();
      add(waiting, "app");
      queue.close();
      // Whatever is opened now has the number that was let go of.
      const reused = openSync(other, "r+");
      await end(0, DONE);
      closeSync(reused);
      expect(existsSync(path)).toBe(false);
      expect(readFileSync(other)).toHaveLength(1000);
      expect(outcomes).toEqual(["taken"]);
      expect(queue.size).toBe(0);
    }),
  ));

test("the same file is taken once, however often it is found", () =>
  withSpot(async (spot) => {
    const { queue, started, add } = openQueue();
    await spot.put("app");
    for (let n = 0; n < 3; n++) add(spot, "app");
    expect(queue.size).toBe(1);
    queue.turn();
    add(spot, "app");
    queue.turn();
    expect(started).toHaveLength(1);
    started[0]?.end(DONE);
    await queue.settled();
  }));

test("one container holds no more than its share of what may wait", () =>
  withSpot((greedy) =>
    withSpot(async (other) => {
      const { queue, add } = openQueue();
      let put = 0;
      for (; queue.hasRoomFor(greedy.spot); put++) {
        await greedy.put(`core-${put}`);
        add(greedy, `core-${put}`);
      }
      expect(put).toBe(16);
      expect(queue.hasRoomFor(other.spot)).toBe(true);
      queue.close();
      expect(queue.hasRoomFor(greedy.spot)).toBe(true);
    }),
  ));

test("what turns out to be no core is refused when it is finished", () =>
  withSpot(async (spot) => {
    const { queue, outcomes, add } = openQueue();
    await Bun.write(await spot.put("text"), "no core at all");
    add(spot, "text");
    queue.turn();
    expect(outcomes).toEqual(["refused: it is no ELF core"]);
    expect(queue.size).toBe(0);
  }));
