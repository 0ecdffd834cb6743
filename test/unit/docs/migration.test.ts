// docs/migration.md holds: its objects are those of both charts, its messages those of the chart, its manifest is one.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { ROOT } from "../../../build/targets.ts";
import { renderChart } from "../../support/helm.ts";
import { ibmObjects } from "../../support/ibm-release.ts";
import { IBM_PROVIDERS } from "../../support/ibm-values.ts";
import { findTypeErrors } from "../../support/kubernetes-types.ts";

const PAGE = readFileSync(join(ROOT, "docs/migration.md"), "utf8");
const TEMPLATES = ["_checks.tpl", "persistent-volumes.yaml", "scc.yaml"]
  .map((name) => readFileSync(join(ROOT, "chart/templates", name), "utf8"))
  .join("\n");

/** The rows below a heading cell, by cells. */
function rowsUnder(heading: string): string[][] {
  const lines = PAGE.split("\n");
  const at = lines.findIndex((line) => new RegExp(`^\\s*\\| ${heading} +\\|`).test(line));
  const end = lines.findIndex((line, index) => index > at && !line.trim().startsWith("|"));
  return lines.slice(at + 2, end).map((line) =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

test("every object of the table is IBM's, and stays or goes as it says", async () => {
  const theirs = ibmObjects(IBM_PROVIDERS["openshift"] ?? {});
  const store = { daemonset: { s3AccessKey: "k", s3Secret: "s", s3BucketName: "b" } };
  const ours = await renderChart("helm4", { values: { ...store, "scc.create": true } });
  const has = (
    objects: { kind: string; metadata: { name: string } }[],
    kind: string,
    name: string,
  ) => objects.some((object) => object.kind === kind && object.metadata.name === name);
  const rows =
    PAGE.match(
      /^\| (DaemonSet|ServiceAccount|Secret|ClusterRole|PersistentVolumes|SecurityContextConstraints) `.*$/gm,
    ) ?? [];
  expect(rows).toHaveLength(6);
  for (const row of rows) {
    const [, kind = "", name = "", becomes = ""] =
      /^\| (\w+?)s? `([^`]+)`[^|]*\| (.*)/.exec(
        row.replace("SecurityContextConstraints", "SecurityContextConstraintss"),
      ) ?? [];
    expect([kind, name, has(theirs, kind, name)]).toEqual([kind, name, true]);
    expect([name, has(ours, kind, name)]).toEqual([name, becomes.startsWith("the same")]);
  }
});

test("every file of IBM's has its row", () => {
  const named = [...PAGE.matchAll(/`values\.([a-z.-]+)`/g)].map(([, file]) => file);
  expect(new Set(named)).toEqual(new Set(Object.keys(IBM_PROVIDERS)));
});

test("what the chart says is quoted in its words", () => {
  for (const [said = ""] of rowsUnder("it says")) {
    // helm's own.
    if (said.startsWith("additional property")) continue;
    const words = said
      .split("…")
      .map((part) => part.trim())
      .filter((part) => part.length > 8);
    expect(words.length).toBeGreaterThan(0);
    const plain = TEMPLATES.replace("daemonset.%s is %v", "daemonset.composerLogLevel is %v");
    for (const part of words) expect(plain).toContain(part.replace(/ (is|at)$/, ""));
  }
});

test("the manifest that pulls the image is one", () => {
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(PAGE) ?? [];
  expect(findTypeErrors(Bun.YAML.parse(yaml) as { apiVersion: string; kind: string })).toEqual([]);
});
