import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { IndexedCrash } from "../../../../src/model/indexed-crash.ts";
import { SITE_LIMITS } from "../../../../src/reading/serve/routes.ts";
import { openDirectoryReader } from "../../../../src/store/directory/directory-reader.ts";
import { StoreError } from "../../../../src/store/store-error.ts";
import type { StoreReader } from "../../../../src/store/store-port.ts";
import { writeDump } from "../../../support/dumps.ts";
import { MARKUP } from "../../../support/hostile-crash.ts";
import { withServer, writeIndexed } from "../../../support/served-store.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const NOW = Math.floor(Date.now() / 1000);
const BUG = "1d38ea98bff9b22d";
const INFO = {
  timestamp: String(NOW - 60),
  namespace: "shop",
  podname: "web-0",
  exe: "web",
  title: "SIGSEGV in read_cart ← main (web)",
  bug: BUG,
  core_complete: true,
  core_bytes: 1000,
};
const CRASH: IndexedCrash = {
  timeSeconds: NOW - 60,
  bug: BUG,
  title: INFO.title,
  exe: "web",
  signal: "SIGSEGV",
  namespace: "shop",
  image: "web:1.4",
  pod: "web-0",
  container: "server",
  node: "node-1",
  coreComplete: true,
  coreBytes: 1000,
  zipBytes: 5000,
  key: "a.zip",
};

test("dumps without an index are shown: as bugs, as one bug, as one crash, as files", () =>
  withFolder(async (folder) => {
    writeDump(folder, "a.zip", { coreBytes: 1000, info: INFO });
    writeDump(folder, "b.zip", { coreBytes: 1000, info: { ...INFO, podname: "web-1" } });
    writeDump(folder, "old.zip", {
      coreBytes: 1000,
      info: { exe: "ibm", timestamp: "1700000000" },
    });
    await withServer({ folder }, async (get) => {
      const first = await get("/");
      expect(first.text).toContain("2 bugs, 3 crashes");
      expect(first.text).toContain("Crashes that nobody explained");
      const bug = await get(`/bug/${BUG}`);
      expect(bug.text).toContain("read_cart");
      expect(bug.text).toContain("shop/web-1");
      const crash = await get("/crash?key=a.zip");
      expect(crash.text).toContain("core-dump-handler fetch a.zip --output a.zip");
      const core = await get("/file?key=a.zip&name=a.core");
      expect(core.headers.get("content-disposition")).toBe('attachment; filename="a.core"');
      const info = await get("/file?key=a.zip&name=a-dump-info.json");
      expect(JSON.parse(info.text)).toMatchObject(INFO);
      expect((await get("/dump?key=a.zip")).status).toBe(200);
    });
  }));

test("an index is enough for bugs and lists, and dumps that are gone are not shown", () =>
  withFolder(async (folder) => {
    writeIndexed(folder, CRASH);
    writeIndexed(folder, { ...CRASH, key: "b.zip", pod: "web-1", timeSeconds: NOW - 20 * 86_400 });
    writeIndexed(folder, { ...CRASH, key: "gone.zip", bug: "ffffffffffffffff" });
    rmSync(join(folder, "gone.zip"));
    await withServer({ folder }, async (get) => {
      const { text } = await get("/");
      expect(text).toContain("1 bug, 2 crashes");
      expect(text).toContain("came back");
      expect(text).not.toContain("ffffffffffffffff");
      expect((await get("/bug/ffffffffffffffff")).status).toBe(404);
    });
  }));

test("modules are given by build-id to debuggers, unless only some namespaces are shown", () =>
  withFolder(async (folder) => {
    const id = "ab".repeat(20);
    mkdirSync(join(folder, "buildid", id), { recursive: true });
    writeFileSync(join(folder, "buildid", id, "executable"), "ELF");
    await withServer({ folder }, async (get) => {
      expect((await get(`/buildid/${id}/executable`)).text).toBe("ELF");
      expect((await get(`/buildid/${"cd".repeat(20)}/executable`)).status).toBe(404);
      expect((await get(`/buildid/..%2f..%2f${id}/executable`)).status).toBe(404);
    });
    await withServer({ folder, namespaces: ["shop"] }, async (get) => {
      expect((await get(`/buildid/${id}/executable`)).status).toBe(404);
    });
  }));

test("filters and search in the address choose crashes", () =>
  withFolder(async (folder) => {
    writeIndexed(folder, CRASH);
    const other = { bug: "00000000000000aa", title: "SIGABRT in pay ← main (bank)", exe: "bank" };
    writeIndexed(folder, { ...CRASH, ...other, namespace: "bank", node: "node-2", key: "b.zip" });
    const old = { ...CRASH, ...other, timeSeconds: NOW - 9 * 86_400, namespace: "bank" };
    writeIndexed(folder, { ...old, key: "c.zip" });
    await withServer({ folder }, async (get) => {
      const counts = async (query: string) =>
        /<h1>([^<]*)<\/h1>/.exec((await get(`/${query}`)).text)?.[1];
      expect(await counts("?namespace=bank")).toBe("1 bug, 2 crashes");
      expect(await counts("?namespace=bank&days=7")).toBe("1 bug, 1 crash");
      expect(await counts("?q=pay+bank")).toBe("1 bug, 2 crashes");
      expect(await counts("?q=%25")).toBe("0 bugs, 0 crashes");
      expect(await counts("?node=node-2&signal=SIGSEGV")).toBe("1 bug, 1 crash");
      expect(await counts("?order=no&page=-1&days=x")).toBe("2 bugs, 3 crashes");
    });
  }));

test("only the namespaces that are allowed are shown, whatever the index says of a dump", () =>
  withFolder(async (folder) => {
    writeIndexed(folder, CRASH);
    writeIndexed(folder, { ...CRASH, bug: "00000000000000aa", namespace: "bank", key: "b.zip" });
    writeIndexed(folder, { ...CRASH, key: "forged.zip" });
    rmSync(join(folder, "forged.zip"));
    writeDump(folder, "forged.zip", { coreBytes: 1000, info: { ...INFO, namespace: "bank" } });
    await withServer({ folder, namespaces: ["shop"] }, async (get) => {
      const { text } = await get("/");
      expect(text).toContain("1 bug, 2 crashes");
      expect(text).not.toContain(">bank<");
      for (const path of ["/bug/00000000000000aa", "/crash?key=b.zip", "/dump?key=b.zip"])
        expect((await get(path)).status).toBe(404);
      for (const path of ["/crash", "/dump", "/file"]) {
        const { status, text: page } = await get(`${path}?key=forged.zip&name=forged.core`);
        expect([status, page.includes("not shown here")]).toEqual([404, true]);
      }
    });
  }));

test("a request for another host's name is refused: DNS rebinding", () =>
  withFolder(async (folder) =>
    withServer({ folder }, async (get) => {
      for (const host of [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "[::1",
        "",
      ])
        for (const path of ["/", "/style.css", "/crash?key=a.zip"]) {
          const { status, text } = await get(path, { headers: { host } });
          expect([status === 421 || status === 400, text.includes("<html")]).toEqual([true, false]);
        }
      for (const host of ["localhost:8642", "127.0.0.1", "LOCALHOST:1", "[::1]:9000"])
        expect((await get("/", { headers: { host } })).status).toBe(200);
    }),
  ));

test("hostile paths and keys get one clear page, and nothing that is no dump is given", () =>
  withFolder(async (folder) => {
    writeDump(folder, "a.zip", { coreBytes: 1000, info: INFO });
    writeFileSync(join(folder, "secret.txt"), "secret");
    await withServer({ folder }, async (get) => {
      const paths = [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/bug/../secret.txt",
        "/bug/%00",
        `/bug/${"a".repeat(7000)}`,
        "/crash?key=secret.txt",
        "/crash?key=../../etc/passwd",
        "/dump?key=/etc/passwd",
        "/file?key=a.zip&name=../../etc/passwd",
        "/file?key=a.zip&name=",
        "/crash?key=%ff%00",
        `/crash?key=${encodeURIComponent(MARKUP)}`,
        "/crash",
      ];
      for (const path of paths) {
        const { status, text, headers } = await get(path);
        expect([path, status]).toEqual([path, 404]);
        expect(text).toContain("<h1>");
        expect(text).not.toContain("root:");
        expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      }
      expect((await get("/", { method: "POST", body: "x" })).status).toBe(405);
      expect(
        (await get(`/?q=${"x".repeat(20_000)}`).catch(() => ({ status: 414 }))).status,
      ).toBeGreaterThanOrEqual(414);
    });
  }));

test("a crash whose every text is markup is text on every page", () =>
  withFolder(async (folder) => {
    const texts = { title: MARKUP, podname: MARKUP, exe: MARKUP, namespace: MARKUP, image: MARKUP };
    writeDump(folder, "a.zip", {
      coreBytes: 1000,
      info: { ...INFO, ...texts, container_name: MARKUP },
    });
    await withServer({ folder }, async (get) => {
      const query = `?q=${encodeURIComponent(MARKUP)}&image=${encodeURIComponent(MARKUP)}`;
      for (const path of ["/", query, `/bug/${BUG}`, "/crash?key=a.zip"]) {
        const { text } = await get(path);
        for (const tag of ["<script>", "<img", "<base", "<style>", "<meta http-equiv=refresh"])
          expect(text).not.toContain(tag);
      }
    });
  }));

const failing = (folder: string, changes: Partial<StoreReader>): StoreReader => ({
  ...openDirectoryReader(folder),
  ...changes,
});
const refuse = () => Promise.reject(new StoreError("forbidden", "the bucket may not be read"));

test("a store that fails is one clear page; what is known already stays, with a note", () =>
  withFolder(async (folder) => {
    writeIndexed(folder, CRASH);
    const pages = () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) });
    const list = pages as unknown as StoreReader["list"];
    const names = pages as unknown as StoreReader["names"];
    await withServer({ store: failing(folder, { list, names }) }, async (get) => {
      const { status, text } = await get("/");
      expect([status, text.includes("the bucket may not be read")]).toEqual([502, true]);
    });
    await withServer({ store: failing(folder, { list }) }, async (get) => {
      const { status, text } = await get("/");
      expect(status).toBe(200);
      expect(text).toContain("1 bug, 1 crash");
      expect(text).toContain("The store could not be read: the bucket may not be read");
    });
    await withServer({ store: failing(folder, { open: refuse }) }, async (get) => {
      await get("/");
      expect((await get("/crash?key=a.zip")).status).toBe(502);
      expect((await get(`/bug/${BUG}`)).status).toBe(200);
    });
  }));

test("a store that does not answer is one clear page, and others still come", () =>
  withFolder(async (folder) => {
    writeIndexed(folder, CRASH);
    const open = () => new Promise<never>(() => undefined);
    const limits = { ...SITE_LIMITS, dumpMs: 50, readers: 2 };
    await withServer({ store: failing(folder, { open }), limits }, async (get) => {
      await get("/");
      const asked = [1, 2, 3].map(() => get("/crash?key=a.zip"));
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect(statuses.toSorted((a, b) => a - b)).toEqual([503, 504, 504]);
      expect((await get("/")).status).toBe(200);
    });
  }));

test("hundreds of clients that send half a request keep nobody out", () =>
  withFolder(async (folder) => {
    writeIndexed(folder, CRASH);
    await withServer({ folder }, async (get, url) => {
      const { port } = new URL(url);
      const sockets = Array.from({ length: 300 }, () => {
        const socket = connect(Number(port), "127.0.0.1");
        socket.on("error", () => undefined);
        socket.write("GET / HTTP/1.1\r\nHost: local");
        return socket;
      });
      expect((await get("/")).status).toBe(200);
      for (const socket of sockets) socket.destroy();
    });
  }));

test("the cache is kept where it is asked for, and made anew for another store", () =>
  withFolder(async (folder) =>
    withFolder(async (other) => {
      writeIndexed(folder, CRASH);
      const cacheFile = join(other, "cache.sqlite");
      await withServer({ folder, cacheFile }, async (get) => {
        expect((await get("/")).text).toContain("1 bug, 1 crash");
      });
      expect(existsSync(cacheFile)).toBe(true);
      const limits = { ...SITE_LIMITS, newsMs: 1 };
      await withServer({ store: failing(folder, {}), cacheFile, limits }, async (get) => {
        expect((await get("/")).text).toContain("1 bug, 1 crash");
      });
      await withServer({ folder: other, cacheFile }, async (get) => {
        expect((await get("/")).text).toContain("0 bugs, 0 crashes");
      });
    }),
  ));
