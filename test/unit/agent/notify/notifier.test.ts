// NOTIFY_URL, NOTIFY_ON, NOTIFY_LIMIT and NOTIFY_PAGE, at a server of the test's own.
import { expect, test } from "bun:test";
import { pathToFileURL } from "node:url";
import { readAgentSettings } from "../../../../src/config/agent-settings.ts";
import { openNotifier, type NotifyOutcome } from "../../../../src/agent/notify/notifier.ts";
import type { KnownInfo } from "../../../../src/model/dump-info.ts";
import { failureOf } from "../../../support/failure.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const BUG = "1d38ea98bff9b22d";
const INFO: KnownInfo = {
  timestamp: "1764000000",
  exe: "web",
  signal_name: "SIGSEGV",
  title: "SIGSEGV in read_cart ← main (web)",
  bug: BUG,
  namespace: "shop",
  podname: "web-0",
  node_hostname: "node-1",
};

interface Told {
  bodies: Record<string, unknown>[];
  outcomes: NotifyOutcome[];
  events: string[];
  log: ReturnType<typeof recordedLog>;
}

/** Offers crashes to notifiers with these settings, and tells what a server that answers so got. */
async function tell(
  offers: readonly KnownInfo[],
  variables: Record<string, string> = {},
  statuses: number[] = [],
  notifiers = 1,
): Promise<Told> {
  const bodies: Record<string, unknown>[] = [];
  const outcomes: NotifyOutcome[] = [];
  const log = recordedLog();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      bodies.push((await request.json()) as Record<string, unknown>);
      return new Response(null, { status: statuses.shift() ?? 200 });
    },
  });
  try {
    const url = `http://127.0.0.1:${server.port}/hook/secret`;
    const settings = readAgentSettings({ NOTIFY_URL: url, ...variables });
    const { signal } = new AbortController();
    const backoff = { baseMs: 1, capMs: 2 };
    const onOutcome = (outcome: NotifyOutcome) => outcomes.push(outcome);
    const context = { settings, log, signal, onOutcome, backoff };
    for (let index = 0; index < notifiers; index++) {
      const notifier = openNotifier(context);
      for (const info of offers) notifier?.offer(info, "shop/T.zip");
      await notifier?.idle();
      notifier?.close();
    }
  } finally {
    await server.stop(true);
  }
  return { bodies, outcomes, events: log.names(), log };
}

test("the first of a bug is told, with what a receiver and what Slack needs", async () => {
  const { bodies, outcomes } = await tell([INFO, INFO], {
    CLUSTER_NAME: "prod",
    NOTIFY_PAGE: "https://crashes.example.com",
  });
  expect(outcomes).toEqual(["sent", "known"]);
  expect(bodies).toEqual([
    {
      text: "New: SIGSEGV in read_cart ← main (web)\nshop/web-0 on node-1 on prod\nhttps://crashes.example.com/crash?key=shop%2FT.zip",
      title: INFO.title,
      first: true,
      untold: 0,
      bug: BUG,
      exact: null,
      signal: "SIGSEGV",
      program: "web",
      cluster: "prod",
      namespace: "shop",
      pod: "web-0",
      container: null,
      image: null,
      node: "node-1",
      time: "2025-11-24T16:00:00.000Z",
      key: "shop/T.zip",
      links: {
        crash: "https://crashes.example.com/crash?key=shop%2FT.zip",
        bug: `https://crashes.example.com/bug/${BUG}`,
      },
    },
  ]);
});

test("NOTIFY_ON=all tells every crash, up to the limit, of which a namespace has half; the rest is counted", async () => {
  const shop = Array.from({ length: 5 }, () => INFO);
  const others = ["bank", "search"].map((namespace) => ({ ...INFO, namespace }));
  const { bodies, outcomes } = await tell([...shop, ...others], {
    NOTIFY_ON: "all",
    NOTIFY_LIMIT: "4",
  });
  expect(outcomes).toEqual(["sent", "sent", "limited", "limited", "limited", "sent", "sent"]);
  expect(bodies.map(({ untold }) => untold)).toEqual([0, 0, 3, 0]);
  expect(bodies[2]?.["text"]).toContain("3 more crashes were not told.");
});

test("what passes is tried again, what is refused is not, and neither shows the address", async () => {
  const again = await tell([INFO], {}, [503, 429, 200]);
  expect([again.bodies.length, again.outcomes]).toEqual([3, ["sent"]]);
  const refused = await tell([INFO], {}, [403]);
  expect([refused.bodies.length, refused.outcomes, refused.events]).toEqual([
    1,
    ["failed"],
    ["notify_failed"],
  ]);
  const never = await tell([INFO], {}, [500, 500, 500, 500, 500]);
  expect([never.bodies.length, never.outcomes]).toEqual([5, ["failed"]]);
  const gone = await tell([INFO], { NOTIFY_URL: "http://127.0.0.1:9/hook/secret" });
  expect(gone.outcomes).toEqual(["failed"]);
  expect(JSON.stringify([refused.log.events, gone.log.events])).not.toContain("secret");
});

test("with an index a bug is new to the whole fleet once", () =>
  withFolder(async (folder) => {
    const indexed = { STORE_INDEX: "true", STORE_URL: pathToFileURL(folder).href };
    const { bodies, outcomes } = await tell([INFO], indexed, [], 3);
    expect([bodies.length, outcomes]).toEqual([1, ["sent", "known", "known"]]);
    const apart = await tell([INFO], {}, [], 3);
    expect(apart.outcomes).toEqual(["sent", "sent", "sent"]);
  }));

test("no name becomes a mention, a link or another line", async () => {
  const hostile = "<!channel> <http://evil|x> & \u202E\nNew: forged";
  const { bodies } = await tell([{ ...INFO, title: hostile, podname: hostile }]);
  const text = String(bodies[0]?.["text"]);
  expect(text).not.toMatch(/<|>/);
  expect(text.split("\n")).toHaveLength(3);
  expect(text).toContain("&lt;!channel&gt;");
});

test("without NOTIFY_URL there is no notifier, and a wrong one is refused without being shown", async () => {
  expect(openNotifierWith({})).toBeUndefined();
  const wrong = Promise.try(() => readAgentSettings({ NOTIFY_URL: "hooks.example.com/secret" }));
  const line = await failureOf(wrong);
  expect(line).toContain("NOTIFY_URL");
  expect(line).not.toContain("secret");
});

function openNotifierWith(variables: Record<string, string>) {
  const { signal } = new AbortController();
  const settings = readAgentSettings(variables);
  return openNotifier({ settings, log: recordedLog(), signal, onOutcome: () => undefined });
}
