// The CRC-32 of data that goes on with zeros, without reading them. Appending a zero byte multiplies the checksum's
// register by x^8 in GF(2)[x] modulo the CRC's polynomial (RFC 1952, section 8; zlib's crc32_combine does the same).

const POLYNOMIAL = 0xedb88320;
/** The register is reflected: bit 31 stands for x^0. */
const X_0 = 0x80000000;
const X_8 = 0x00800000;

/** Returns the CRC-32 of the data that has this `crc`, followed by `count` zero bytes. */
export function crc32WithZeros(crc: number, count: number): number {
  return ~multiply(~crc >>> 0, powerOfX8(count)) >>> 0;
}

let last = { count: 0, power: X_0 };

/** Returns x^(8 count). Keeps the last result, because most runs of zeros have one length. */
function powerOfX8(count: number): number {
  if (count === last.count) return last.power;
  let [power, square] = [X_0, X_8];
  for (let rest = count; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  last = { count, power };
  return power;
}

function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = X_0; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}
