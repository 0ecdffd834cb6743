// Reads the path out of a Rust symbol of the v0 scheme, generic arguments as <T>, without crate hashes.
// Source: RFC 2603.
import { Malformed } from "./malformed.ts";

const DEPTH_MAX = 32;
/** Types that hold earlier ones twice double at every reference. */
const TEXT_MAX_CHARACTERS = 8192;
/** A reference leads back; a name made of references to references would grow without end. */
const READS_MAX = 2000;

/** Throws Malformed for what it does not understand. */
export function readRustName(symbol: string): string {
  const reader = new RustReader(symbol.slice(2));
  return reader.path(0);
}

class RustReader {
  private at = 0;
  private reads = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  path(depth: number): string {
    this.enter(depth);
    const tag = this.next();
    switch (tag) {
      case "C":
        return this.identifier().name;
      case "M":
      case "X": {
        // An impl block: where it stands does not matter, what it is for does.
        this.disambiguator();
        this.path(depth + 1);
        const type = this.type(depth + 1);
        if (tag === "X") return `<${type} as ${this.path(depth + 1)}>`;
        return /^[\w:]+(?:<T>)?$/u.test(type) ? type : `<${type}>`;
      }
      case "Y":
        return `<${this.type(depth + 1)} as ${this.path(depth + 1)}>`;
      case "N":
        return this.nested(depth);
      case "I": {
        const path = this.path(depth + 1);
        while (!this.accept("E")) this.argument(depth + 1);
        return `${path}<T>`;
      }
      case "B":
        return this.reference(() => this.path(depth + 1));
      default:
        throw new Malformed("a Rust name is not understood");
    }
  }

  private nested(depth: number): string {
    const namespace = this.next();
    const outer = this.path(depth + 1);
    const { name } = this.identifier();
    if (namespace === "C") return `${outer}::{closure}`;
    if (/^[A-Z]$/u.test(namespace)) return `${outer}::{${name || namespace}}`;
    return name === "" ? outer : `${outer}::${name}`;
  }

  private argument(depth: number): void {
    if (this.accept("L")) this.base62();
    else if (this.accept("K")) this.constant(depth);
    else this.type(depth);
  }

  /** Reads a type as it stands in an impl's name. */
  private type(depth: number): string {
    this.enter(depth);
    const tag = this.peek();
    if (/^[a-z]$/u.test(tag)) {
      this.next();
      return BASIC_TYPES[tag] ?? "_";
    }
    if (/^[CMXYNI]$/u.test(tag)) return this.path(depth + 1);
    this.next();
    switch (tag) {
      case "A": {
        const item = this.type(depth + 1);
        this.constant(depth + 1);
        return `[${item}; N]`;
      }
      case "S":
        return `[${this.type(depth + 1)}]`;
      case "T": {
        const items: string[] = [];
        while (!this.accept("E")) items.push(this.type(depth + 1));
        return `(${items.join(", ")})`;
      }
      case "R":
      case "Q":
        if (this.accept("L")) this.base62();
        return `&${this.type(depth + 1)}`;
      case "P":
      case "O":
        return `*${this.type(depth + 1)}`;
      case "B":
        return this.reference(() => this.type(depth + 1));
      case "F":
        this.signature(depth);
        return "fn";
      case "D":
        return this.dynamic(depth);
      default:
        throw new Malformed("a Rust name is not understood");
    }
  }

  private signature(depth: number): void {
    if (this.accept("G")) this.base62();
    this.accept("U");
    if (this.accept("K") && !this.accept("C")) this.identifier();
    while (!this.accept("E")) this.type(depth + 1);
    this.type(depth + 1);
  }

  private dynamic(depth: number): string {
    if (this.accept("G")) this.base62();
    const traits: string[] = [];
    while (!this.accept("E")) {
      traits.push(this.path(depth + 1));
      while (this.accept("p")) {
        this.identifier();
        this.type(depth + 1);
      }
    }
    this.expectLifetime();
    return `dyn ${traits.join(" + ")}`;
  }

  private expectLifetime(): void {
    if (!this.accept("L")) throw new Malformed("a Rust name is not understood");
    this.base62();
  }

  private constant(depth: number): void {
    if (this.accept("B")) {
      this.reference(() => {
        this.constant(depth + 1);
        return "";
      });
      return;
    }
    if (this.accept("p")) return;
    this.type(depth + 1);
    this.accept("n");
    while (/^[0-9a-f]$/u.test(this.peek())) this.next();
    if (!this.accept("_")) throw new Malformed("a Rust name is not understood");
  }

  /** Reads what stands at an earlier place, and goes on behind the reference. */
  private reference(read: () => string): string {
    const start = this.at - 1;
    const target = this.base62();
    if (target >= start) throw new Malformed("a Rust name refers to itself");
    const end = this.at;
    this.at = target;
    const text = read();
    if (text.length > TEXT_MAX_CHARACTERS) throw new Malformed("a Rust name is too long");
    this.at = end;
    return text;
  }

  private identifier(): { name: string } {
    this.disambiguator();
    const isPunycode = this.accept("u");
    const digits = /^(?:0|[1-9]\d{0,4})/u.exec(this.text.slice(this.at, this.at + 5))?.[0];
    if (digits === undefined) throw new Malformed("a Rust name is not understood");
    this.at += digits.length;
    this.accept("_");
    const length = Number(digits);
    const name = this.text.slice(this.at, this.at + length);
    if (name.length < length) throw new Malformed("a Rust name is cut short");
    this.at += length;
    return { name: isPunycode ? `punycode{${name}}` : name };
  }

  private disambiguator(): void {
    if (this.accept("s")) this.base62();
  }

  private base62(): number {
    const digits = /^[0-9A-Za-z]{0,8}_/u.exec(this.text.slice(this.at, this.at + 9))?.[0];
    // A crate's hash has eleven digits; its value is of no interest.
    const long = /^[0-9A-Za-z]{0,16}_/u.exec(this.text.slice(this.at, this.at + 17))?.[0];
    if (long === undefined) throw new Malformed("a Rust name is not understood");
    this.at += long.length;
    if (digits === undefined) return Number.MAX_SAFE_INTEGER;
    if (digits === "_") return 0;
    let value = 0;
    for (const digit of digits.slice(0, -1)) value = value * 62 + DIGITS.indexOf(digit);
    return value + 1;
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  private next(): string {
    const letter = this.peek();
    if (letter === "") throw new Malformed("a Rust name is cut short");
    this.at++;
    return letter;
  }

  private accept(letter: string): boolean {
    if (this.peek() !== letter) return false;
    this.at++;
    return true;
  }

  private enter(depth: number): void {
    if (depth > DEPTH_MAX || ++this.reads > READS_MAX)
      throw new Malformed("a Rust name is too deep");
  }
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

const BASIC_TYPES: Readonly<Record<string, string>> = {
  a: "i8",
  b: "bool",
  c: "char",
  d: "f64",
  e: "str",
  f: "f32",
  h: "u8",
  i: "isize",
  j: "usize",
  l: "i32",
  m: "u32",
  n: "i128",
  o: "u128",
  s: "i16",
  t: "u16",
  u: "()",
  v: "...",
  x: "i64",
  y: "u64",
  z: "!",
  p: "_",
};
