import { expect, test } from "bun:test";
import {
  describePackage,
  planShippedPackages,
  writeSbomText,
  type Lock,
} from "../../../build/sbom.ts";
import packageJson from "../../../package.json" with { type: "json" };

const LOCK: Lock = {
  workspaces: { "": { dependencies: { a: "1.0.0" } } },
  packages: {
    a: ["a@1.0.0", "", { dependencies: { "@s/b": "^2.0.0" } }, "sha512-AAAA"],
    "a/@s/b": ["@s/b@2.0.0", "", { dependencies: { c: "^1.0.0" } }, "sha512-BBBB"],
    "@s/b": ["@s/b@1.0.0", "", {}, "sha512-CCCC"],
    c: ["c@1.0.0", "", { dependencies: { a: "*" } }, "sha512-DDDD"],
    tool: ["tool@9.0.0", "", { dependencies: { "@s/b": "^1.0.0" } }, "sha512-EEEE"],
  },
};

test("only what the program can reach is listed, each in the version that it gets", () => {
  expect(planShippedPackages(LOCK)).toEqual(["a", "a/@s/b", "c"]);
});

test("a package is named as package URLs have it, with its hash in hexadecimal", () => {
  expect(describePackage(["@s/b@2.0.0", "", {}, "sha512-AQID"], "MIT")).toEqual({
    type: "library",
    name: "@s/b",
    version: "2.0.0",
    purl: "pkg:npm/%40s/b@2.0.0",
    licenses: [{ license: { name: "MIT" } }],
    hashes: [{ alg: "SHA-512", content: "010203" }],
  });
});

test("the real document names Bun and every direct dependency with a hash and a licence, and no tool", async () => {
  const { components } = JSON.parse(await writeSbomText()) as {
    components: Record<string, unknown>[];
  };
  const names = components.map(({ name }) => name);
  expect(names).toContain("bun");
  for (const name of Object.keys(packageJson.dependencies)) {
    const found = components.find((component) => component["name"] === name);
    expect(found).toMatchObject({ hashes: [{ alg: "SHA-512" }], licenses: [{ license: {} }] });
  }
  expect(names).not.toContain("oxlint");
  expect(names).not.toContain("@kubernetes/client-node");
});
