// Call frame information and symbols of programs made for the purpose: the instructions that compilers rarely write,
// and those that only an attacker would.
import { expect, test } from "bun:test";
import { explainCore } from "../../../src/explain/explain.ts";
import type { CrashSummary } from "../../../src/model/crash-summary.ts";
import { bytesOf } from "../../../src/model/random-bytes.ts";
import {
  ARM,
  EXECUTE,
  READ,
  syntheticCore,
  words,
  WRITE,
  X86,
} from "../../support/synthetic-core.ts";
import {
  addressOf,
  PROGRAM,
  syntheticProgram,
  type SyntheticProgram,
} from "../../support/synthetic-program.ts";

const STACK = 0x7ff0_0000_0000n;

interface Crash {
  program: SyntheticProgram;
  /** The function and the offset in it where the program stands. */
  at: readonly [name: string, offset: bigint];
  stack: readonly bigint[];
  registers?: Readonly<Record<number, bigint>>;
  codeMask?: bigint;
}

function explain({
  program,
  at: [name, offset],
  stack,
  registers = {},
  codeMask = 0n,
}: Crash): CrashSummary {
  const { machine = "x86_64" } = program;
  const places = machine === "x86_64" ? ([X86.rip, X86.rsp] as const) : ([ARM.pc, ARM.sp] as const);
  const file = syntheticProgram(program);
  const core = syntheticCore({
    machine,
    threads: [
      {
        tid: 7,
        registers: {
          [places[0]]: addressOf(program, name) + offset,
          [places[1]]: STACK,
          ...registers,
        },
      },
    ],
    signal: [11, 1, 0n],
    memory: [
      {
        address: PROGRAM,
        bytes: file.subarray(0, 4096),
        flags: READ | EXECUTE,
        memoryBytes: 0x10_0000,
      },
      {
        address: STACK,
        bytes: words([...stack, ...Array<bigint>(600).fill(0n)]),
        flags: READ | WRITE,
      },
    ],
    files: [{ start: PROGRAM, end: PROGRAM + 0x10_0000n, page: 0n, path: "/app" }],
    auxiliary: [[9n, PROGRAM + 0x1000n]],
    codeMask,
  });
  return explainCore({ core: bytesOf(core), modules: { find: () => [{ bytes: bytesOf(file) }] } });
}

const names = (crash: Crash) =>
  explain(crash).crashing_thread?.frames.map(
    ({ function: name, function_offset: offset, trust }) => `${name}+${offset} ${trust}`,
  );

const TWO = (frame: string): SyntheticProgram => ({
  functions: [
    { name: "inner", size: 0x40, frame },
    {
      name: "outer",
      size: 0x40,
      frame: "0716" /* the return address is undefined: the outermost */,
    },
  ],
});
const back = (program: SyntheticProgram) => addressOf(program, "outer") + 8n;

test.each([
  ["no change since the call", "00", 0],
  ["def_cfa_offset 24", "0e18", 2],
  ["advance_loc 4 behind the place does not count", "0e18 60 0e7f", 2],
  ["advance_loc1 and def_cfa_offset", "0201 0e10", 1],
  ["remember and restore the state", "0e18 0a 0e30 0b", 2],
  ["def_cfa_offset_sf -2", "137e", 1],
  ["an expression: rsp + 8 * 3", "0f03 7718 96", 2],
  ["a restored rule after another one", "9002 d0", 0],
  ["offset_extended and restore_extended", "051002 0610", 0],
  ["what gcc adds for arguments", "2e08 0e10", 1],
])("call frame information: %s", (_, frame, above) => {
  const program = TWO(frame);
  const stack = [...Array<bigint>(above).fill(1n), back(program)];
  expect(names({ program, at: ["inner", 8n], stack })).toEqual([
    "inner+0x8 context",
    "outer+0x8 cfi",
  ]);
});

test("a register that was saved is the caller's again", () => {
  const program: SyntheticProgram = {
    functions: [
      // rbp saved at CFA - 16; the middle's frame begins at its rbp + 16.
      { name: "inner", size: 0x40, frame: "0e10 8602" },
      { name: "middle", size: 0x40, frame: "0c0610" },
      { name: "outer", size: 0x40, frame: "0710" },
    ],
  };
  const stack = [STACK + 32n, addressOf(program, "middle") + 9n, 0n, 0n, 0n, back(program)];
  expect(names({ program, at: ["inner", 8n], stack })).toEqual([
    "inner+0x8 context",
    "middle+0x9 cfi",
    "outer+0x8 cfi",
  ]);
});

test("a call as a function's last instruction belongs to that function, not to the next", () => {
  const program: SyntheticProgram = {
    functions: [
      { name: "inner", size: 0x40, frame: "00" },
      { name: "noreturn", size: 0x40, frame: "0710" },
      { name: "next", size: 0x40, frame: "00" },
    ],
  };
  const stack = [addressOf(program, "next")];
  expect(names({ program, at: ["inner", 8n], stack })?.[1]).toBe("noreturn+0x40 cfi");
});

test("aarch64: a signed return address is followed without its signature", () => {
  const program: SyntheticProgram = {
    machine: "aarch64",
    functions: [
      // negate_ra_state; the frame is 32 bytes; x29 and x30 saved at its beginning.
      { name: "inner", size: 0x40, frame: "2d 0e20 9d04 9e03" },
      { name: "outer", size: 0x40, frame: "071e" },
    ],
  };
  const mask = 0x007f_0000_0000_0000n;
  const stack = [0n, back(program) | 0x0033_0000_0000_0000n];
  expect(names({ program, at: ["inner", 8n], stack, codeMask: mask })).toEqual([
    "inner+0x8 context",
    "outer+0x8 cfi",
  ]);
});

test("aarch64: a leaf without a frame returns to its link register, and only the innermost may be one", () => {
  const program: SyntheticProgram = {
    machine: "aarch64",
    functions: [
      { name: "inner", size: 0x40, frame: "00" },
      { name: "outer", size: 0x40, frame: "00" },
    ],
  };
  const registers = { [ARM.x30]: back(program) };
  expect(names({ program, at: ["inner", 8n], stack: [0n], registers })).toEqual([
    "inner+0x8 context",
    "outer+0x8 cfi",
  ]);
});

test("a frame that leads to itself ends the walk", () => {
  const program = TWO("0f02 7700"); // CFA = rsp: the stack does not grow
  expect(names({ program, at: ["inner", 8n], stack: [back(program)] })?.length).toBe(1);
});

test("frame information made to cost time ends with a reason", () => {
  // 5,000 steps a frame, three thousand frames: more than is done for one core.
  const flood = "0e10 00".repeat(9000);
  const program: SyntheticProgram = {
    functions: [{ name: "inner", size: 0x40, frame: flood }],
  };
  const again = addressOf(program, "inner") + 9n;
  const stack = Array.from({ length: 600 }, () => again);
  const summary = explain({ program, at: ["inner", 8n], stack });
  expect(summary.crashing_thread?.frames.length).toBeLessThanOrEqual(128);
  const endless = TWO("0f04 2ffdff00"); // an expression that jumps back to its beginning
  expect(
    names({ program: endless, at: ["inner", 8n], stack: [back(endless)] })?.length,
  ).toBeGreaterThan(0);
});

test("symbols that overlap without end are given up, and the summary says so", () => {
  const symbols = Array.from({ length: 30_000 }, (_, index) => ({
    name: "s",
    address: PROGRAM + BigInt(index % 4096),
    size: 0x10_0000,
  }));
  const program: SyntheticProgram = {
    functions: Array.from({ length: 100 }, (_, index) => ({
      name: `f${index}`,
      size: 0x10,
      frame: "0e08",
    })),
    symbols,
  };
  const stack = program.functions.slice(1).map(({ name }) => addressOf(program, name) + 8n);
  const summary = explain({ program, at: ["f0", 8n], stack });
  expect(summary.crashing_thread?.frames.length).toBeGreaterThan(90);
  expect(summary.incomplete).toContainEqual({
    what: "symbols of /app",
    why: "its symbols overlap too often",
  });
});

test("the symbol that covers an address is taken, the plainest name of several", () => {
  const program: SyntheticProgram = {
    functions: [{ name: "__libc_free", size: 0x40, frame: "0710" }],
    symbols: [
      { name: "free", address: PROGRAM + 0x1000n, size: 0x40 },
      { name: "around", address: PROGRAM, size: 0x4000 },
      { name: "before", address: PROGRAM + 0x900n, size: 0x10 },
    ],
  };
  expect(names({ program, at: ["__libc_free", 8n], stack: [] })).toEqual(["free+0x8 context"]);
});
