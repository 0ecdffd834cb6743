import { expect, test } from "bun:test";
import {
  COMPONENT_MAX_BYTES,
  portableComponent,
  portableFileName,
  portableKey,
} from "../../../src/model/portable-name.ts";

test.each([
  ["wrk:worker_0", "wrk_worker_0"],
  ['a*b?c"d<e>f|g\\h/i', "a_b_c_d_e_f_g_h_i"],
  ["ends.", "ends_"],
  ["ends...", "ends___"],
  ["blank ", "blank_"],
  ["con", "_con"],
  ["CON.core", "_CON.core"],
  ["nul", "_nul"],
  ["Com1.x.y", "_Com1.x.y"],
  ["lpt9", "_lpt9"],
  ["conin$", "conin_"],
  ["console", "console"],
  ["com", "com"],
  ["com10", "com10"],
  [".hidden", "_hidden"],
  ["-rf", "_rf"],
  ["\u00e9\u202e\u0000", "___"],
  ["", ""],
])("%j becomes %j", (text, expected) => {
  expect(portableComponent(text)).toBe(expected);
});

test("a cut leaves no dot at the end, and no more than what fits", () => {
  expect(portableComponent("abc.def", 4)).toBe("abc_");
  expect(portableComponent("con.x", 5)).toBe("_con_");
  expect(portableComponent("x".repeat(999)).length).toBe(COMPONENT_MAX_BYTES);
});

test("a file's name is cut before its extension", () => {
  expect(portableFileName(`${"x".repeat(300)}.zip`, 10)).toBe("xxxxxx.zip");
  expect(portableFileName("aux.zip")).toBe("_aux.zip");
});

test("a key keeps its folders, each made portable", () => {
  expect(portableKey("cores: new/nul/wrk:worker.zip")).toBe("cores__new/_nul/wrk_worker.zip");
  expect(portableKey("../x")).toBe("__/x");
  expect(portableKey("a/T.zip")).toBe("a/T.zip");
});
