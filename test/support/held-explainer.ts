// A program that explains a held process for tests, by its core's first bytes (stdin), its memory and its mapped files.
// Arguments: where the summary goes, the process's pid.
import { readSync, renameSync, writeFileSync } from "node:fs";
import { endOfNotes } from "../../src/explain/elf-core.ts";
import { explainCore } from "../../src/explain/explain.ts";
import { openHeldMemory, openHeldModules } from "../../src/host/held-memory.ts";
import { bytesOf } from "../../src/model/random-bytes.ts";

const [, , output = "", pid = ""] = process.argv;
const HEAD_MAX_BYTES = 64 << 20;

function readHead(): Buffer {
  let head = Buffer.alloc(0);
  while (head.length < HEAD_MAX_BYTES) {
    const block = Buffer.alloc(64 << 10);
    const count = readSync(0, block, 0, block.length, null);
    head = Buffer.concat([head, block.subarray(0, count)]);
    if (count === 0 || (head.length > 4096 && head.length >= endOfNotes(bytesOf(head)))) break;
  }
  return head;
}

const memory = openHeldMemory(`/proc/${pid}`);
const modules = openHeldModules(`/proc/${pid}`);
const startedMs = performance.now();
const summary = explainCore({ core: bytesOf(readHead()), memory, modules });
const tookMs = performance.now() - startedMs;
writeFileSync(`${output}.unfinished`, JSON.stringify({ summary, tookMs }));
renameSync(`${output}.unfinished`, output);
