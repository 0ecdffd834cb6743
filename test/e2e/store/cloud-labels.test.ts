// What the stores of Azure and Google keep beside a dump, whatever a process, a pod or a namespace calls itself; and
// what a person reads of it with the compiled executable.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeContainer, KEY } from "../../support/azurite.ts";
import { azuriteObstacle } from "../../support/azurite-package.ts";
import { doctorSays } from "../../support/doctor.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { executablePath } from "../../support/executable.ts";
import { gatedTest } from "../../support/gate.ts";
import { startGcsServer } from "../../support/gcs-server.ts";
import { startSweep } from "../../support/sweep-process.ts";

interface Labels {
  metadata: Record<string, string>;
  tags: Record<string, string>;
}

interface OpenStore {
  variables: Record<string, string>;
  labelsOf: (key: string) => Promise<Labels>;
  keys: () => Promise<string[]>;
}

interface Store {
  name: string;
  obstacle: string | undefined;
  open: () => Promise<OpenStore>;
}

const STORES: readonly Store[] = [
  {
    name: "Azurite",
    obstacle: azuriteObstacle(),
    async open() {
      const container = await makeContainer();
      return {
        variables: {
          STORE_URL: `${container.server.endpoint}/${container.name}`,
          AZURE_STORAGE_KEY: KEY,
        },
        labelsOf: async (key) => ({
          metadata: await container.metadata(key),
          tags: await container.tags(key),
        }),
        keys: () => container.keys(),
      };
    },
  },
  {
    name: "Cloud Storage",
    obstacle: undefined,
    async open() {
      const { bucket, endpoint, objects } = startGcsServer();
      return {
        variables: { STORE_URL: `gs://${bucket}`, STORAGE_EMULATOR_HOST: endpoint },
        // Tags stand among the metadata there.
        async labelsOf(key) {
          const metadata = objects.get(key)?.metadata ?? {};
          return { metadata, tags: metadata };
        },
        keys: async () => [...objects.keys()].sort(),
      };
    },
  },
];

const HOSTILE = {
  namespace: "größe-\u202eevil\r\nx-ms-meta-pod: forged",
  podname: `${"🧨".repeat(300)}&a=b`,
  container_name: "\u0000\u001b[31m<script>",
  exe: "../../etc/passwd",
  signal: "11",
  node_hostname: " node ",
  title: 'SIGSEGV in "f"\'; DROP TABLE ← main '.repeat(200),
  core_complete: true,
};

for (const store of STORES) {
  for (const coreBytes of [1000, 12_000_000])
    gatedTest(
      `${store.name}: hostile names become short printable labels, and the dump arrives (${coreBytes} bytes)`,
      [store.obstacle],
      async () => {
        const { variables, labelsOf, keys } = await store.open();
        const folder = temporaryFolder();
        writeDump(folder, "T.zip", { coreBytes, info: HOSTILE });
        const tags = Array.from({ length: 20 }, (_, index) => `k${index}=${"v".repeat(300)}`);
        const { code, log } = await (
          await startSweep(folder, {
            ...variables,
            STORE_PART_SIZE: "5Mi",
            STORE_KEY_TEMPLATE: "{namespace}/{podname}/{filename}",
            STORE_TAGS: `team@x=db,namespace={namespace},exe={exe_name},${tags.join(",")}`,
          })
        ).ended;
        if (code !== 0) console.error(log);
        expect(code).toBe(0);
        const [key = "", ...others] = await keys();
        expect(others).toEqual([]);
        expect(key.split("/")).toHaveLength(3);
        const labels = await labelsOf(key);
        expect(Object.keys(labels.metadata)).toEqual(
          expect.arrayContaining(["namespace", "pod", "signal", "title", "cdhdelivery"]),
        );
        expect(labels.metadata["signal"]).toBe("11");
        expect(labels.metadata["node"]).toBe("node");
        for (const [name, value] of Object.entries(labels.metadata)) {
          expect(name).toMatch(/^[ -~]{1,128}$/);
          expect(value).toMatch(/^[ -~]{0,256}$/);
        }
        const size = Object.entries(labels.metadata).flat().join("").length;
        expect(size).toBeLessThan(8192);
        expect(Object.keys(labels.tags).length).toBeLessThan(20);
        expect(labels.tags["exe"]).toContain("passwd");
      },
      60_000,
    );

  gatedTest(
    `${store.name}: list --store and fetch read what was delivered`,
    [store.obstacle],
    async () => {
      const { variables } = await store.open();
      const folder = temporaryFolder();
      const info = { namespace: "shop", podname: "cart-0", exe: "cart", signal: "11" };
      const path = writeDump(folder, "T.zip", { coreBytes: 3_000_000, info });
      const sha256 = await sha256Of(path);
      const below = { ...variables, STORE_URL: `${variables["STORE_URL"]}/team-a` };
      expect((await (await startSweep(folder, below)).ended).code).toBe(0);
      const run = async (args: string[], cwd: string) => {
        const child = Bun.spawn([await executablePath(), ...args], {
          cwd,
          env: below,
          stdout: "pipe",
          stderr: "pipe",
        });
        const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
        return { code: await child.exited, out, err };
      };
      const listed = await run(["list", "--store", "--json"], folder);
      expect(listed).toMatchObject({ code: 0, err: "" });
      expect(JSON.parse(listed.out)).toMatchObject([
        { namespace: "shop", podname: "cart-0", key: "T.zip" },
      ]);
      const target = temporaryFolder();
      const fetched = await run(["fetch", "T.zip"], target);
      expect(fetched.out).toContain("verified");
      expect(
        new Bun.CryptoHasher("sha256").update(readFileSync(join(target, "T.zip"))).digest("hex"),
      ).toBe(sha256);
      const missing = await run(["fetch", "none.zip"], target);
      expect(missing.code).toBe(1);
      expect(missing.err).toContain("none.zip");
    },
    60_000,
  );

  gatedTest(
    `${store.name}: the doctor finds it well, and leaves nothing`,
    [store.obstacle],
    async () => {
      const { variables, keys } = await store.open();
      const { store: found, clock } = await doctorSays(variables, { only: ["store", "clock"] });
      expect(found).toMatchObject({ status: "ok" });
      expect(clock?.status).toBe("ok");
      expect(await keys()).toEqual([]);
    },
    60_000,
  );
}
