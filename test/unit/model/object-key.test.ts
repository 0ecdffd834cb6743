import { expect, test } from "bun:test";
import {
  KEY_FIELDS,
  keyTemplateProblems,
  keyWithSuffix,
  renderObjectKey,
  type KeyValues,
} from "../../../src/model/object-key.ts";

const VALUES: KeyValues = {
  filename: "T.zip",
  cluster: "prod",
  node: "node-1",
  namespace: "shop",
  podname: "cart-0",
  container: "app",
  hostname: "cart-0",
  exe_name: "cart",
  signal: "11",
  fingerprint: "0123456789abcdef",
  uuid: "u-1",
  timestamp: "1700000000",
  date: "2023-11-14",
  year: "2023",
  month: "11",
  day: "14",
  hour: "22",
};

function allHostile(value: string): KeyValues {
  return {
    ...Object.fromEntries(KEY_FIELDS.map((field) => [field, value])),
    filename: "T.zip",
  } as KeyValues;
}

test("the default key is the file's name", () => {
  expect(renderObjectKey("{filename}", VALUES)).toBe("T.zip");
});

test("a bucket can be split by tenant and time", () => {
  expect(renderObjectKey("{cluster}/{{namespace}}/{year}/{month}/{filename}", VALUES)).toBe(
    "prod/shop/2023/11/T.zip",
  );
});

test.each(["../../etc", "a/b", "", ".", "..", "-x", "ü\n{filename}", "a\u0000b", "x".repeat(5000)])(
  "hostile value %# stays within one component",
  (value) => {
    const key = renderObjectKey("{cluster}/{namespace}/{podname}/{filename}", allHostile(value));
    const components = key.split("/");
    expect(components).toHaveLength(4);
    expect(components[3]).toBe("T.zip");
    for (const component of components) {
      expect(component).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._\-!@+=,]*$/);
      expect(component.length).toBeLessThanOrEqual(200);
    }
  },
);

test.each([
  ["{nope}/{filename}", "{nope}"],
  ["{filename", "brace"],
  ["/{filename}", "empty component"],
  ["a//{filename}", "empty component"],
  ["../{filename}", ".."],
  ["{namespace}/core.zip", "{uuid}"],
  ["é/{filename}", "ASCII"],
])("the template %p is refused", (template, why) => {
  expect(keyTemplateProblems(template).join("; ")).toContain(why);
});

test("good templates have no problems", () => {
  for (const template of ["{filename}", "cores/{cluster}/{date}/{uuid}.zip", "{{ filename }}"])
    expect(keyTemplateProblems(template)).toEqual([]);
});

test("a suffix goes before the extension and never into a folder's name", () => {
  expect(keyWithSuffix("a/T.zip", 0)).toBe("a/T.zip");
  expect(keyWithSuffix("a/T.zip", 2)).toBe("a/T-2.zip");
  expect(keyWithSuffix("a.b/T", 1)).toBe("a.b/T-1");
  expect(keyWithSuffix("a/.zip", 1)).toBe("a/.zip-1");
});

test("a file's name is never cut, as long as it may be", () => {
  const filename = `${"x".repeat(200)}.zip`;
  expect(renderObjectKey("{namespace}/{filename}", { ...VALUES, filename })).toBe(
    `shop/${filename}`,
  );
});

test("values give way in a component that no file system could hold, the file's name does not", () => {
  const values = { ...allHostile("y".repeat(300)), filename: `${"x".repeat(150)}.zip` };
  const key = renderObjectKey("{namespace}-{podname}-{container}-{filename}", values);
  expect(key).toEndWith(values.filename);
  expect(key.length).toBeLessThanOrEqual(240);
});
