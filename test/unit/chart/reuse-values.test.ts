// `helm upgrade --reuse-values`: helm puts the values of the release as it was in the place of our values.yaml, so a
// chart with that file replaced is what it renders.
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { temporaryFolder } from "../../support/dumps.ts";
import { CHART, renderChart, type Manifest } from "../../support/helm.ts";
import { merge } from "../../support/ibm-release.ts";
import { IBM_DEFAULTS, IBM_PROVIDERS, type Values } from "../../support/ibm-values.ts";

const NO_TAG = { image: { tag: "" } };

/** Our chart with these values in the place of its own. */
function chartWith(values: Values): string {
  const folder = temporaryFolder("cdh-reuse-");
  cpSync(CHART, folder, { recursive: true });
  writeFileSync(join(folder, "values.yaml"), JSON.stringify(values));
  return folder;
}

function sorted(manifests: readonly Manifest[]): Manifest[] {
  return manifests.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

test.each(["helm3", "helm4"] as const)(
  "%s renders the same from the values of IBM's release as from IBM's values and our defaults",
  async (helm) => {
    for (const file of [
      {},
      merge(IBM_PROVIDERS["minikube"] ?? {}, NO_TAG),
      IBM_PROVIDERS["openshift"] ?? {},
    ]) {
      // The tag of IBM's image is among them, and is no wish of the user's.
      const values = merge(IBM_DEFAULTS, file);
      const reused = await renderChart(helm, { chart: chartWith(values) });
      const given = merge(values, NO_TAG);
      expect(sorted(reused)).toEqual(sorted(await renderChart(helm, { values: given })));
    }
  },
);

test("false, blank and 0 of the release stay as they are", async () => {
  const own = { useINotify: false, crioEndpoint: "", httpPort: 0 };
  const values = merge(IBM_DEFAULTS, { ...NO_TAG, daemonset: own });
  const reused = await renderChart("helm4", { chart: chartWith(values) });
  const text = JSON.stringify(reused);
  expect(text).toContain('"name":"USE_INOTIFY","value":"false"');
  expect(text).not.toContain('"name":"CRIO_ENDPOINT"');
  expect(text).toContain('"name":"HTTP_PORT","value":"0"');
});

test("every template fills in what the values lack, before it reads any", () => {
  const templates = readdirSync(join(CHART, "templates"), { recursive: true })
    .map(String)
    .filter((name) => /\.(yaml|txt)$/.test(name));
  const unfilled = templates.filter(
    (name) =>
      !readFileSync(join(CHART, "templates", name), "utf8").startsWith(
        '{{- include "core-dump-handler.fillValues" . -}}\n',
      ),
  );
  expect(templates.length).toBeGreaterThan(8);
  expect(unfilled).toEqual([]);
});
