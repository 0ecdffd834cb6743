// Reads a mangled name from left to right: digits, names with their length, sequence numbers.
import { Malformed } from "./malformed.ts";

/** A mangled name and a position in it. Reads throw Malformed where the text does not fit. */
export class ItaniumText {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  peek(length = 1): string {
    return this.text.slice(this.at, this.at + length);
  }

  skip(length: number): void {
    this.at += length;
    if (this.at > this.text.length) throw new Malformed("a mangled name is cut short");
  }

  expect(word: string): void {
    if (this.peek(word.length) !== word) throw new Malformed("a mangled name is not understood");
    this.skip(word.length);
  }

  accept(word: string): boolean {
    if (this.peek(word.length) !== word) return false;
    this.skip(word.length);
    return true;
  }

  /** Passes what the pattern, which begins with ^, matches. */
  take(pattern: RegExp, maxLength: number): void {
    const found = pattern.exec(this.peek(maxLength))?.[0];
    if (found === undefined) throw new Malformed("a mangled name is not understood");
    this.skip(found.length);
  }

  /** Reads a number; 0 where there are no digits. */
  number(): number {
    this.accept("n");
    const digits = /^\d{1,9}/u.exec(this.peek(9))?.[0] ?? "";
    this.skip(digits.length);
    return Number(digits);
  }

  sourceName(): string {
    const length = this.number();
    const name = this.peek(length);
    if (length === 0 || name.length < length) throw new Malformed("a mangled name is cut short");
    this.skip(length);
    return name.startsWith("_GLOBAL__N") ? "(anonymous namespace)" : name;
  }

  sequence(): void {
    this.take(/^[0-9A-Z]{0,12}_/u, 13);
  }
}
