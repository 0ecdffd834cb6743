// Goes on where a killed composer stopped: packs what it had read and not yet compressed, from its spool into the partial, behind the core's last whole block. Each block proves by the core's checksum that nothing is missing before
// it. The spool's room is given back on the way, so that it works on a full disk and can be repeated where it is killed.
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { writeFully } from "../../host/full-write.ts";
import type { SpoolFile } from "../../host/spool-file.ts";
import type { CoreCompression } from "../../model/core-compression.ts";
import { crc32WithZeros } from "../../model/crc32-zeros.ts";
import { CORE_BLOCK_BYTES } from "../../model/partial-layout.ts";
import {
  SPOOL_HEAD_BYTES,
  SPOOL_SLOT_BYTES,
  parseSpoolHead,
  type SpooledBlock,
} from "../../model/spool-layout.ts";
import { encodingOf, type BlockEncoding } from "./block-encoding.ts";
import type { ScannedCore } from "./core-scan.ts";

/** How many slots are given back to the disk at a time. */
const FREE_SLOTS = 32;
/** How many blocks of zeros are written at a time. */
const ZEROS_AT_ONCE = 256;

/** Returns the core with what the spool adds to it. A core that has ended, or a gap before the spool, adds nothing. */
export async function appendSpooled(
  file: FileHandle,
  core: ScannedCore,
  spool: SpoolFile,
  compression: CoreCompression,
): Promise<ScannedCore> {
  const encoding = encodingOf(compression);
  const first = spool.firstSlot();
  if (core.ended || first === undefined) return core;
  const grown = { ...core };
  const memory = Buffer.alloc(SPOOL_SLOT_BYTES);
  // What lies behind the last whole block is a torn one.
  await file.truncate(grown.endOffset);
  for (let slot = first, freed = first; ; slot++) {
    const block = await readBlock(spool, slot, memory, grown);
    // Where the filesystem gives back less than a slot, a slot without a head comes first.
    if (block === "headless" && freed === first && grown.sizeBytes === core.sizeBytes) continue;
    if (block === "end" || block === "headless") return grown;
    if (block !== "known") await append(file, grown, block, memory, encoding);
    if (slot - freed >= FREE_SLOTS) {
      spool.free(freed, slot);
      freed = slot;
    }
  }
}

/** Reads the block that comes next in the core; "known" for one that is in the partial already. */
async function readBlock(
  spool: SpoolFile,
  slot: number,
  memory: Buffer,
  { sizeBytes, crc }: ScannedCore,
): Promise<SpooledBlock | "known" | "headless" | "end"> {
  const length = await spool.read(slot, memory);
  const block = parseSpoolHead(memory.subarray(0, length));
  if (length === 0) return "end";
  if (block === undefined) return "headless";
  if (block.offset > sizeBytes) return "end";
  const missingBytes = block.offset + block.sizeBytes - sizeBytes;
  if (missingBytes <= 0) return "known";
  if (block.isZeros) {
    // The partial may have the beginning of a run.
    const isRight = crc32WithZeros(crc, missingBytes) === block.crc;
    return isRight ? { ...block, offset: sizeBytes, sizeBytes: missingBytes } : "end";
  }
  const data = dataOf(block, memory.subarray(0, length));
  const isWhole = block.offset === sizeBytes && data.length === block.sizeBytes;
  return isWhole && crc32(data, crc) === block.crc ? block : "end";
}

function dataOf({ sizeBytes, isZeros }: SpooledBlock, memory: Buffer): Buffer {
  return memory.subarray(
    SPOOL_HEAD_BYTES,
    isZeros ? SPOOL_HEAD_BYTES : SPOOL_HEAD_BYTES + sizeBytes,
  );
}

async function append(
  file: FileHandle,
  core: ScannedCore,
  block: SpooledBlock,
  memory: Buffer,
  encoding: BlockEncoding,
): Promise<void> {
  if (core.sizeBytes === 0) await write(file, core, encoding.start);
  if (block.isZeros)
    await appendZeros(file, core, block.sizeBytes / CORE_BLOCK_BYTES, encoding.zeros);
  else {
    const data = dataOf(block, memory);
    core.elf.push(data);
    await write(file, core, await encoding.pack(data));
  }
  core.sizeBytes += block.sizeBytes;
  core.crc = block.crc;
}

async function appendZeros(
  file: FileHandle,
  core: ScannedCore,
  blocks: number,
  one: Uint8Array,
): Promise<void> {
  const zeros = new Uint8Array(CORE_BLOCK_BYTES);
  for (let left = blocks; left > 0; left -= ZEROS_AT_ONCE) {
    const count = Math.min(left, ZEROS_AT_ONCE);
    for (let n = 0; n < count && !core.elf.isSettled; n++) core.elf.push(zeros);
    await write(file, core, Buffer.concat(Array<Uint8Array>(count).fill(one)));
  }
}

async function write(file: FileHandle, core: ScannedCore, bytes: Uint8Array): Promise<void> {
  await writeFully(file, bytes, core.endOffset);
  core.endOffset += bytes.length;
}
