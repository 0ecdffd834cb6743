import { expect, test } from "bun:test";
import {
  DEFAULT_TEMPLATE,
  NAME_MAX_BYTES,
  TEMPLATE_FIELDS,
  renderDumpName,
  safeComponent,
  unknownTemplateFields,
  type TemplateValues,
} from "../../../src/model/dump-name.ts";

const UUID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const VALUES: TemplateValues = {
  uuid: UUID,
  timestamp: "1700000000",
  hostname: "web-1",
  exe_name: "server",
  pid: "7",
  signal: "11",
  limit_size: "18446744073709551615",
  pathname: "!usr!bin!server",
  namespace: "default",
  podname: "web-1",
  fingerprint: "0123456789abcdef",
};

test("the default template names a dump as users know it", () => {
  expect(renderDumpName(DEFAULT_TEMPLATE, VALUES)).toBe(
    `${UUID}-dump-1700000000-web-1-server-7-11`,
  );
});

test("every field is filled in, in one pair of braces and in two, blanks within them or not", () => {
  for (const field of TEMPLATE_FIELDS)
    for (const form of [`{${field}}`, `{{${field}}}`, `{ ${field} }`, `{{ ${field} }}`])
      expect(renderDumpName(`a-${form}`, VALUES)).toBe(`a-${VALUES[field]}`);
});

test("an unknown field, a stray brace or an empty pair gives the uuid", () => {
  for (const template of [
    "{host}",
    "{{host}}-{uuid}",
    "{uuid",
    "uuid}",
    "{}",
    "{{uuid}",
    "{__proto__}",
    "{constructor}",
  ]) {
    expect(unknownTemplateFields(template)).not.toEqual([]);
    expect(renderDumpName(template, VALUES)).toBe(UUID);
  }
  expect(unknownTemplateFields("{host}-{uuid}-{{pod}}")).toEqual(["{host}", "{pod}"]);
});

test("a template without anything left in it gives the uuid", () => {
  expect(renderDumpName("", VALUES)).toBe(UUID);
  expect(renderDumpName("{podname}", { ...VALUES, podname: "" })).toBe(UUID);
});

test.each([
  "../../etc/cron.d/x",
  "a\u0000b\nc",
  ".hidden",
  "-rf",
  "日本語\u202e",
  "a b\tc",
  "$(reboot)`x`",
  "\ud800",
  "{uuid}",
  "*?[a]",
  "\"'\\",
])("a process that calls itself %p gets one harmless path component", (name) => {
  for (const template of ["{exe_name}", "{hostname}{exe_name}", DEFAULT_TEMPLATE]) {
    const rendered = renderDumpName(template, { ...VALUES, exe_name: name, hostname: name });
    expect(rendered).toMatch(/^[A-Za-z0-9_!@+=,][A-Za-z0-9._\-!@+=,]*$/);
    expect(Buffer.byteLength(rendered)).toBeLessThanOrEqual(NAME_MAX_BYTES);
  }
});

test("slashes of the template itself make no folders", () => {
  expect(renderDumpName("{namespace}/{podname}/../{uuid}", VALUES)).toBe(
    `default_web-1_.._${UUID}`,
  );
});

test("a value of any length leaves room for the others", () => {
  const long = "x".repeat(5000);
  const rendered = renderDumpName("{hostname}-{pid}", { ...VALUES, hostname: long });
  expect(rendered).toMatch(/^x{71}-[0-9a-f]{8}-7$/);
  const all = Object.fromEntries(TEMPLATE_FIELDS.map((field) => [field, long])) as TemplateValues;
  const template = TEMPLATE_FIELDS.map((field) => `{${field}}`).join("-");
  expect(renderDumpName(template, all)).toHaveLength(NAME_MAX_BYTES);
});

test("pods whose names begin alike keep names of their own, as Argo's differ at their ends only", () => {
  const workflow = `nightly-${"regression-".repeat(9)}main`;
  const pods = ["fetch-1844674407", "fetch-1844674408"].map((step) => `${workflow}-${step}`);
  for (const template of ["{namespace}-{podname}", "{hostname}{hostname}{hostname}{podname}"]) {
    const names = pods.map((podname) =>
      renderDumpName(template, { ...VALUES, hostname: "h".repeat(70), podname }),
    );
    expect(names[0]).not.toBe(names[1]);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(NAME_MAX_BYTES);
  }
});

test("a huge template is read in a moment", () => {
  const blanks = " ".repeat(200_000);
  expect(unknownTemplateFields(`{${blanks}`)).toEqual(["{"]);
  expect(unknownTemplateFields("{".repeat(20_000))).toHaveLength(20_000);
});

test("a safe text stays as it is", () => {
  for (const text of ["a", "a.b-c_d!e@f+g=h,i", "0"]) expect(safeComponent(text)).toBe(text);
});
