import { expect, test } from "bun:test";
import { decide, hasRules, type Rules } from "../../../../src/composer/metadata/rules.ts";

const NONE: Rules = { selector: "", namespaceInclude: "", namespaceExclude: "" };
const pod = (namespace: string, labels: Record<string, string> = {}) =>
  ({ kind: "pod", namespace, labels }) as const;
const kindOf = (rules: Partial<Rules>, known: Parameters<typeof decide>[1]) =>
  decide({ ...NONE, ...rules }, known).kind;

test("without rules everything is collected, known or not", () => {
  expect(hasRules({ ...NONE, selector: "  " })).toBe(false);
  expect(kindOf({}, pod("default"))).toBe("collect");
  expect(kindOf({}, { kind: "no_pod" })).toBe("collect");
  expect(kindOf({}, { kind: "unknown", why: "no runtime" })).toBe("collect");
});

test("a selector of a name takes any value, a selector of name=value that value only", () => {
  const labelled = pod("default", { "my.org/batch": "yes", empty: "" });
  expect(kindOf({ selector: "my.org/batch" }, labelled)).toBe("collect");
  expect(kindOf({ selector: " my.org/batch=yes " }, labelled)).toBe("collect");
  expect(kindOf({ selector: "empty" }, labelled)).toBe("collect");
  expect(kindOf({ selector: "empty=" }, labelled)).toBe("collect");
  expect(kindOf({ selector: "my.org/batch=no" }, labelled)).toBe("skip");
  expect(kindOf({ selector: "my.org/batc" }, labelled)).toBe("skip");
  expect(kindOf({ selector: "toString" }, labelled)).toBe("skip");
});

test("with any rule, labels that cannot be had leave the dump out, and the reason is told", () => {
  for (const rules of [{ selector: "a" }, { namespaceInclude: "*" }, { namespaceExclude: "a" }])
    expect(decide({ ...NONE, ...rules }, { kind: "unknown", why: "no socket answered" })).toEqual({
      kind: "skip",
      reason: "the pod's labels cannot be had: no socket answered",
      unidentified: true,
    });
});

test("a guess counts for a selector alone, and only where the labels fit", () => {
  const guessed = (guessedLabels: Record<string, string>) =>
    ({ kind: "unknown", why: "guessed", guessedLabels }) as const;
  expect(kindOf({ selector: "batch" }, guessed({ batch: "1" }))).toBe("collect");
  expect(kindOf({ selector: "batch=2" }, guessed({ batch: "1" }))).toBe("skip");
  for (const rule of [{ namespaceInclude: "*" }, { namespaceExclude: "x" }]) {
    expect(kindOf(rule, guessed({ batch: "1" }))).toBe("skip");
    expect(kindOf({ selector: "batch", ...rule }, guessed({ batch: "1" }))).toBe("skip");
  }
});

test("namespaces are matched whole, with * for any run of characters", () => {
  expect(kindOf({ namespaceInclude: "a, team-*" }, pod("team-blue"))).toBe("collect");
  expect(kindOf({ namespaceInclude: "a, team-*" }, pod("my-team-blue"))).toBe("skip");
  expect(kindOf({ namespaceInclude: "te.m" }, pod("team"))).toBe("skip");
  expect(kindOf({ namespaceInclude: "*" }, pod("anything"))).toBe("collect");
});

test("exclude wins over include", () => {
  const rules = { namespaceInclude: "*", namespaceExclude: "kube-*" };
  expect(kindOf(rules, pod("kube-system"))).toBe("skip");
  expect(kindOf(rules, pod("default"))).toBe("collect");
});

test("a host process has no labels and no namespace, so only an exclude list lets it through", () => {
  expect(kindOf({ namespaceExclude: "*" }, { kind: "no_pod" })).toBe("collect");
  expect(kindOf({ namespaceInclude: "*" }, { kind: "no_pod" })).toBe("skip");
  expect(kindOf({ selector: "a" }, { kind: "no_pod" })).toBe("skip");
});
