// The dynamic linker's list of libraries, by which a debugger finds them: the program's DT_DEBUG names struct r_debug,
// whose r_map begins a chain of struct link_map (link.h). Follows what was copied, and copies what it comes to.
import type { CoreSegments } from "./core-segments.ts";
import type { PageCopier } from "./page-copier.ts";

const [PT_DYNAMIC, PT_PHDR, DT_DEBUG] = [2, 6, 21n];
const PROGRAM_HEADER_BYTES = 56;
const PROGRAM_HEADERS_MAX = 64;
const DYNAMIC_ENTRIES_MAX = 256;
const LIBRARIES_MAX = 2048;
const NAME_BYTES = 256;
/** struct r_debug: r_map; struct link_map: l_addr, l_name, l_ld, l_next. */
const [R_MAP_AT, L_NAME_AT, L_NEXT_AT, LINK_MAP_BYTES] = [8n, 8, 24, 40];

/** `headers` is where the program's own headers are in memory (AT_PHDR). Throws CopyStopped. */
export async function takeLinkMap(
  copier: PageCopier,
  segments: CoreSegments,
  headers: bigint,
): Promise<void> {
  const copy = async (address: bigint, sizeBytes: number): Promise<Buffer> => {
    const page = BigInt(segments.pageBytes);
    await copier.take(
      Number(address / page),
      Number((address + BigInt(sizeBytes) - 1n) / page) + 1,
    );
    return copier.read(address, sizeBytes);
  };
  const table = await copy(headers, PROGRAM_HEADER_BYTES * PROGRAM_HEADERS_MAX);
  let [bias, dynamic]: [bigint, bigint | undefined] = [0n, undefined];
  for (let at = 0; at + PROGRAM_HEADER_BYTES <= table.length; at += PROGRAM_HEADER_BYTES) {
    const type = table.readUInt32LE(at);
    // Behind the last of them there is something else.
    if (type === 0 || (type > 16 && type < 0x60000000)) break;
    if (type === PT_PHDR) bias = headers - table.readBigUInt64LE(at + 16);
    if (type === PT_DYNAMIC) dynamic ??= table.readBigUInt64LE(at + 16);
  }
  if (dynamic === undefined) return;
  const entries = await copy(BigInt.asUintN(64, bias + dynamic), DYNAMIC_ENTRIES_MAX * 16);
  for (let at = 0; at + 16 <= entries.length; at += 16) {
    const tag = entries.readBigUInt64LE(at);
    if (tag === 0n) return;
    if (tag === DT_DEBUG) return takeChain(copy, entries.readBigUInt64LE(at + 8));
  }
}

async function takeChain(
  copy: (address: bigint, sizeBytes: number) => Promise<Buffer>,
  debug: bigint,
): Promise<void> {
  const head = await copy(debug, 40);
  if (head.length < 16) return;
  const seen = new Set<bigint>();
  let next = head.readBigUInt64LE(Number(R_MAP_AT));
  while (next !== 0n && !seen.has(next) && seen.size < LIBRARIES_MAX) {
    seen.add(next);
    const map = await copy(next, LINK_MAP_BYTES);
    if (map.length < LINK_MAP_BYTES) return;
    await copy(map.readBigUInt64LE(L_NAME_AT), NAME_BYTES);
    next = map.readBigUInt64LE(L_NEXT_AT);
  }
}
