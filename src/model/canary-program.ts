// The canary's executable, byte by byte: a static ELF program that waits for one byte on stdin, touches its memory and
// writes to address 0. It exits without a crash when stdin is closed instead. Needs no libc, no loader and no shell,
// so that it runs wherever the kernel does. Pure.
import { AppError } from "./app-error.ts";

/** What uname -m calls the architectures that we know. */
export type CanaryMachine = "x86_64" | "aarch64";

const EM = { x86_64: 62, aarch64: 183 } as const;

/** Pages may have 64 KiB on arm64: each segment starts at a multiple of that. */
const SEGMENT_ALIGN = 0x10000;
const TEXT_ADDRESS = 0x400000;
const DATA_ADDRESS = TEXT_ADDRESS + SEGMENT_ALIGN;
/** Zeroed memory behind the data: with it the core is larger than a pipe, so that the kernel needs its reader. */
const ZEROS_BYTES = 1 << 20;
const HEADERS_BYTES = 64 + 2 * 56;
const [PF_X, PF_W, PF_R] = [1, 2, 4];

/** x86-64, System V: the number in eax, arguments in rdi, rsi, rdx. */
const CODE_X86_64 = [
  [0x31, 0xc0], // xor eax, eax              (read)
  [0x31, 0xff], // xor edi, edi              (stdin)
  [0x48, 0x89, 0xe6], // mov rsi, rsp
  [0xba, 1, 0, 0, 0], // mov edx, 1
  [0x0f, 0x05], // syscall
  [0x83, 0xf8, 1], // cmp eax, 1
  [0x75, 21], // jne over the next four
  [0xc6, 0x04, 0x25, 0x80, 0x00, 0x41, 0x00, 1], // mov byte [DATA_ADDRESS + 0x80], 1
  [0xc6, 0x04, 0x25, 0x00, 0x10, 0x42, 0x00, 1], // mov byte [DATA_ADDRESS + 0x11000], 1
  [0x31, 0xc0], // xor eax, eax
  [0xc6, 0x00, 0], // mov byte [rax], 0      (SIGSEGV)
  [0xb8, 60, 0, 0, 0], // mov eax, 60        (exit)
  [0x31, 0xff], // xor edi, edi
  [0x0f, 0x05], // syscall
].flat();

/** arm64: the number in x8, arguments in x0, x1, x2. Instructions are little-endian words. */
const CODE_AARCH64 = [
  0xd28007e8, // mov x8, #63               (read)
  0xd2800000, // mov x0, #0                (stdin)
  0x910003e1, // mov x1, sp
  0xd2800022, // mov x2, #1
  0xd4000001, // svc #0
  0xf100041f, // cmp x0, #1
  0x54000121, // b.ne over the next eight
  0xd2a00824, // mov x4, #0x410000         (DATA_ADDRESS)
  0xf2801004, // movk x4, #0x80
  0x39000084, // strb w4, [x4]
  0xd2a00844, // mov x4, #0x420000         (DATA_ADDRESS + 0x10000)
  0xf2820004, // movk x4, #0x1000
  0x39000084, // strb w4, [x4]
  0xd2800004, // mov x4, #0
  0x39000084, // strb w4, [x4]             (SIGSEGV)
  0xd2800ba8, // mov x8, #93               (exit)
  0xd2800000, // mov x0, #0
  0xd4000001, // svc #0
].flatMap((word) => [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24]);

/**
 * Returns the executable's bytes. `marker` (at most 128 bytes) lies in the memory that the core must show. Throws
 * AppError "host" for a machine that this file has no code for.
 */
export function formatCanaryProgram(machine: string, marker: Uint8Array): Uint8Array {
  if (machine !== "x86_64" && machine !== "aarch64")
    throw new AppError("host", `there is no canary for ${machine}`);
  const code = machine === "x86_64" ? CODE_X86_64 : CODE_AARCH64;
  const textBytes = HEADERS_BYTES + code.length;
  const file = Buffer.alloc(SEGMENT_ALIGN * 2);
  writeHeader(file, machine);
  const data = { flags: PF_R | PF_W, address: DATA_ADDRESS, offset: SEGMENT_ALIGN };
  const dataBytes = SEGMENT_ALIGN;
  writeSegment(
    file,
    0,
    { flags: PF_R | PF_X, address: TEXT_ADDRESS, offset: 0 },
    textBytes,
    textBytes,
  );
  writeSegment(file, 1, data, dataBytes, dataBytes + ZEROS_BYTES);
  file.set(code, HEADERS_BYTES);
  file.set(marker.subarray(0, 128), SEGMENT_ALIGN);
  return file;
}

/** elf(5), Elf64_Ehdr. */
function writeHeader(file: Buffer, machine: CanaryMachine): void {
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(EM[machine], 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(TEXT_ADDRESS + HEADERS_BYTES), 24); // e_entry
  file.writeBigUInt64LE(64n, 32); // e_phoff
  file.writeUInt16LE(64, 52); // e_ehsize
  file.writeUInt16LE(56, 54); // e_phentsize
  file.writeUInt16LE(2, 56); // e_phnum
}

/** elf(5), Elf64_Phdr of type PT_LOAD. */
function writeSegment(
  file: Buffer,
  index: number,
  { flags, address, offset }: { flags: number; address: number; offset: number },
  fileBytes: number,
  memoryBytes: number,
): void {
  const at = 64 + index * 56;
  file.writeUInt32LE(1, at);
  file.writeUInt32LE(flags, at + 4);
  const fields = [offset, address, address, fileBytes, memoryBytes, SEGMENT_ALIGN];
  for (const [place, value] of fields.entries())
    file.writeBigUInt64LE(BigInt(value), at + 8 + place * 8);
}
