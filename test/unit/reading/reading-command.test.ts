import { describe, expect, test } from "bun:test";
import { parseAgentCommand } from "../../../src/command/command-line.ts";

const parse = (...args: string[]) => {
  const parsed = parseAgentCommand(args);
  if (parsed.name !== "read") throw new Error(`parsed as ${parsed.name}`);
  return parsed.command;
};

describe("the commands that read dumps", () => {
  test("list takes a folder or the store, and its filters", () => {
    expect(parse("list", "/cores", "--namespace", "shop", "--json")).toMatchObject({
      name: "list",
      folder: "/cores",
      store: false,
      namespace: "shop",
      json: true,
    });
    expect(() => parse("list", "/cores", "--store")).toThrow("not both");
  });

  test.each(["24h", "7d", "2023-11-14", "2023-11-14T22:13:20Z"])(
    "--since understands %s",
    (text) => {
      const command = parse("list", "--since", text);
      if (command.name !== "list") throw new Error("not a list");
      expect(command.sinceMs).toBeGreaterThan(Date.parse("2023-11-13"));
      expect(command.sinceMs).toBeLessThan(Date.now());
    },
  );

  test("--since refuses what is no time, and says what would be one", () => {
    expect(() => parse("list", "--since", "yesterday")).toThrow('--since "yesterday" is no time');
  });

  test("what follows -- goes to the debugger", () => {
    expect(parse("debug", "a.zip", "--", "-batch", "-ex", "bt")).toEqual({
      name: "debug",
      file: "a.zip",
      debuggerArgs: ["-batch", "-ex", "bt"],
    });
  });

  test.each([
    [["info"], "info needs a file"],
    [["fetch"], "fetch needs a key"],
    [["info", "a", "b"], 'info does not take "b"'],
    [["info", "a", "--force"], "info has no option --force"],
    [["sweep", "--json"], "sweep has no option --json"],
  ])("%j is refused in words", (args, words) => {
    expect(() => parseAgentCommand(args)).toThrow(words);
  });
});
