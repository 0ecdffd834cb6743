import { expect, test } from "bun:test";
import { formatOwner, namespaceOwner, parseOwner } from "../../../src/model/dump-owner.ts";

test("a namespace counts where the runtime named it by the cgroup or the file", () => {
  expect(namespaceOwner({ identity: "cgroup", namespace: "shop" })).toBe("shop");
  expect(namespaceOwner({ identity: "core_file", namespace: "shop" })).toBe("shop");
  expect(namespaceOwner({ identity: "host_process", namespace: null })).toBe("(host)");
});

test("a guess, a name that is none, and nothing at all are unknown", () => {
  for (const info of [
    { identity: "hostname_guess", namespace: "shop" }, // of an earlier version
    { identity: "unknown", namespace: "shop" },
    { identity: "cgroup", namespace: null },
    { identity: "cgroup", namespace: "(host)" },
    { identity: "cgroup", namespace: "a/b" },
    { identity: "cgroup", namespace: ["shop"] },
    {},
  ])
    expect(namespaceOwner(info)).toBe("(unknown)");
});

test("an owner reads back as it was written, and nothing else does", () => {
  for (const namespace of ["shop", "(host)", "(unknown)"]) {
    const owner = { namespace, workload: "x_-9" };
    expect(parseOwner(formatOwner(owner))).toEqual(owner);
  }
  for (const priority of ["low", "high"] as const) {
    const owner = { namespace: "shop", workload: "x_-9", priority };
    expect(parseOwner(formatOwner(owner))).toEqual(owner);
  }
  expect(formatOwner({ namespace: "a", workload: "b", priority: "normal" })).toBe("a/b");
  for (const text of [
    "a/b/low/d",
    "a/b/",
    "",
    "shop",
    "shop/",
    "/x",
    "a/b/c",
    "Shop/x",
    "(other)/x",
  ])
    expect(parseOwner(text)).toBeUndefined();
});
