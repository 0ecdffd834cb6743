// The owner's rules on which dumps are collected: POD_SELECTOR_LABEL and the namespace lists. Pure. With any rule, a
// crash is left out if its pod is not certain. A guess by the host name counts for POD_SELECTOR_LABEL alone, as it did in
// the ancestor: whoever takes the name of a labelled pod has its own dump collected, and no other's. A core holds a process's
// secrets, and a dump that was collected against the owner's rules cannot be taken back. The composer logs such a
// crash as a warning, with everything that is known about it.
import type { ComposerSettings } from "../../config/composer-settings.ts";
import type { Verdict } from "./metadata.ts";

/** The owner's rules. */
export interface Rules {
  /** `name` (any value) or `name=value`; empty matches every pod. */
  selector: string;
  /** Comma-separated, `*` for any run of characters; empty includes every namespace. */
  namespaceInclude: string;
  namespaceExclude: string;
}

/** What is certain about a crash's pod. */
export type PodKnowledge =
  | { kind: "pod"; namespace: string; labels: Readonly<Record<string, string>> }
  /** A process outside any container, which certainly has no namespace and no labels. */
  | { kind: "no_pod" }
  | {
      kind: "unknown";
      why: string;
      /** The labels of the only pod that has the crash's host name. */
      guessedLabels?: Readonly<Record<string, string>>;
    };

/** Returns the rules in the settings. */
export function rulesOf(settings: ComposerSettings): Rules {
  return {
    selector: settings.POD_SELECTOR_LABEL,
    namespaceInclude: settings.NAMESPACE_INCLUDE,
    namespaceExclude: settings.NAMESPACE_EXCLUDE,
  };
}

/** Returns whether there is any rule, so that the pod must be known. */
export function hasRules(rules: Rules): boolean {
  return [rules.selector, rules.namespaceInclude, rules.namespaceExclude].some(
    (rule) => rule.trim() !== "",
  );
}

/** Decides whether a dump of this pod is collected, and why not. */
export function decide(rules: Rules, known: PodKnowledge): Verdict {
  if (!hasRules(rules)) return { kind: "collect" };
  if (known.kind === "unknown" && mayGuess(rules, known.guessedLabels)) return { kind: "collect" };
  if (known.kind === "unknown")
    return { ...skip(`the pod's labels cannot be had: ${known.why}`), unidentified: true };
  const selector = rules.selector.trim();
  if (selector !== "") {
    if (known.kind === "no_pod") return skip("a host process has no labels");
    if (!matchesSelector(selector, known.labels))
      return skip(`the pod does not match POD_SELECTOR_LABEL ${selector}`);
  }
  const include = patternsOf(rules.namespaceInclude);
  const exclude = patternsOf(rules.namespaceExclude);
  if (known.kind === "no_pod")
    return include.length === 0 ? { kind: "collect" } : skip("a host process is in no namespace");
  if (include.length > 0 && !include.some((pattern) => pattern.test(known.namespace)))
    return skip(`namespace ${known.namespace} is not in NAMESPACE_INCLUDE`);
  if (exclude.some((pattern) => pattern.test(known.namespace)))
    return skip(`namespace ${known.namespace} is in NAMESPACE_EXCLUDE`);
  return { kind: "collect" };
}

function mayGuess(rules: Rules, labels: Readonly<Record<string, string>> | undefined): boolean {
  if (labels === undefined || hasRules({ ...rules, selector: "" })) return false;
  return matchesSelector(rules.selector.trim(), labels);
}

function skip(reason: string): Extract<Verdict, { kind: "skip" }> {
  return { kind: "skip", reason };
}

function matchesSelector(selector: string, labels: Readonly<Record<string, string>>): boolean {
  const equals = selector.indexOf("=");
  const name = (equals === -1 ? selector : selector.slice(0, equals)).trim();
  if (!Object.hasOwn(labels, name)) return false;
  return equals === -1 || labels[name] === selector.slice(equals + 1).trim();
}

function patternsOf(list: string): RegExp[] {
  return list
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
    .map(
      (item) =>
        new RegExp(
          `^${item
            .split("*")
            .map((text) => RegExp.escape(text))
            .join(".*")}$`,
        ),
    );
}
