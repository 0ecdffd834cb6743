import { expect, test } from "bun:test";
import { UNKNOWN_DUMP } from "../../../src/model/dump-info.ts";
import { formatReport } from "../../../src/report/crash-report.ts";
import { hostileCrash, MARKUP } from "../../support/hostile-crash.ts";

const textOf = (...crash: Parameters<typeof formatReport>) =>
  new TextDecoder().decode(formatReport(...crash));

const PLAIN = {
  info: {
    ...UNKNOWN_DUMP,
    exe: "server",
    signal: "11",
    signal_name: "SIGSEGV",
    timestamp: "1700000000",
    namespace: "shop",
    podname: "web-0",
    missing: [{ what: "summary", why: "no process is held" }],
  },
  summary: undefined,
  log: "",
  fileName: "T.zip",
  key: "shop/T.zip",
};

test("a crash that nobody explained has a report all the same, which says why", () => {
  const page = textOf(PLAIN);
  expect(page).toContain("<title>SIGSEGV in server</title>");
  expect(page).toContain("<strong>shop/web-0</strong>");
  expect(page).toContain("no process is held");
  expect(page).toContain("core-dump-handler fetch shop/T.zip --output T.zip");
});

test("of a core without its heap the report says so", () => {
  const info = { ...PLAIN.info, core_content: "stacks", core_complete: true } as const;
  const page = textOf({ ...PLAIN, info: { ...info, core_bytes: 4096, core_omitted_bytes: 2e6 } });
  expect(page).toContain(
    "4.0 KiB, complete; stacks and what belongs to them alone (1.9 MiB left out)",
  );
  expect(page).toContain("as it was wanted, it has stacks and what belongs to them alone");
});

test("the longest crash of nothing but markup fits, and no tag of it is one", () => {
  const crash = hostileCrash();
  const page = textOf(crash);
  expect(Buffer.byteLength(page)).toBeLessThanOrEqual(200_000);
  for (const tag of [
    "<script",
    "<img",
    "<form",
    "<base",
    "<style>*",
    'onerror="',
    'http-equiv=refresh content="',
  ])
    expect(page.toLowerCase()).not.toContain(tag);
  expect(page).not.toContain(MARKUP.slice(0, 8));
  expect(page).toContain("\\u202egnp.exe\\u0007\\u001b]0;x");
});

test("a policy that allows neither script nor request comes before anything of the crash", () => {
  const page = textOf(hostileCrash(3));
  const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"`;
  expect(page.replace(/&#39;/g, "'").indexOf(policy)).toBeGreaterThan(0);
  expect(page.replace(/&#39;/g, "'").indexOf(policy)).toBeLessThan(page.indexOf("<title>"));
});

test("the panic's lines are marked in the log", () => {
  const crash = hostileCrash(1);
  const { summary } = crash;
  if (summary === undefined) throw new Error("it has a summary");
  summary.panic = { text: "panic: out of cheese", source: "log", language: "go" };
  const page = textOf({ ...crash, log: "first\n12:00 panic: out of cheese\nlast\n" });
  expect(page).toContain("first\n<mark>12:00 panic: out of cheese</mark>\nlast\n");
});
