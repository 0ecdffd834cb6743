// Reads the name out of an Itanium-mangled C++ (or legacy Rust) symbol, template arguments as <T>, without
// parameters and return type. Source: the Itanium C++ ABI, section 5.1.
import { OPERATORS, SPECIAL } from "./itanium-tables.ts";
import { ABBREVIATED, DEPTH_MAX, ItaniumTypes } from "./itanium-types.ts";
import { isLegacyRust, legacyRustPart } from "./legacy-rust-name.ts";
import { Malformed } from "./malformed.ts";

/** Throws Malformed for what it does not understand. */
export function readItaniumName(symbol: string): string {
  const reader = new ItaniumReader(symbol);
  reader.expect("_Z");
  const special = SPECIAL[reader.peek(2)];
  if (special !== undefined) reader.skip(2);
  else if (reader.peek(2) === "Th" || reader.peek(2) === "Tv") reader.callOffset();
  const parts = reader.name(0);
  if (parts.includes(ABBREVIATED)) throw new Malformed("a mangled name is not understood");
  const shown = isLegacyRust(parts) ? parts.slice(0, -1).map(legacyRustPart) : parts;
  return (special ?? "") + shown.join("::");
}

class ItaniumReader extends ItaniumTypes {
  /** Passes over a thunk's offsets (T h/v). */
  callOffset(): void {
    this.skip(1);
    const isVirtual = this.peek() === "v";
    this.skip(1);
    this.number();
    this.expect("_");
    if (!isVirtual) return;
    this.number();
    this.expect("_");
  }

  /** Reads the parts between "::". */
  name(depth: number): string[] {
    if (depth > DEPTH_MAX) throw new Malformed("a mangled name is too deep");
    if (this.accept("N")) return this.nested(depth);
    if (this.accept("Z")) return this.local(depth);
    const parts = this.peek(2) === "St" ? this.standard() : [];
    if (parts.length === 0 && this.peek() === "S") {
      parts.push(this.substitution());
    } else parts.push(this.unqualified(depth));
    this.templateArguments(parts, depth);
    return parts;
  }

  private standard(): string[] {
    this.skip(2);
    return ["std"];
  }

  private nested(depth: number): string[] {
    while (/^[rVKRO]$/u.test(this.peek())) this.skip(1);
    const parts: string[] = [];
    while (!this.accept("E")) {
      if (this.peek() === "S" && parts.length === 0) parts.push(this.substitution());
      else if (this.peek() === "I") this.templateArguments(parts, depth);
      else if (this.peek() === "T" && parts.length === 0) parts.push(this.templateParameter());
      else if (this.peek() === "D" && /^D[tT]/u.test(this.peek(2))) {
        this.type(depth + 1);
        parts.push("decltype");
      } else if (/^[CD][0-9I]/u.test(this.peek(2)) && parts.length > 0)
        parts.push(this.constructorOf(parts));
      // A data member's initializer.
      else if (this.peek() === "M" && parts.length > 0) this.skip(1);
      else parts.push(this.unqualified(depth));
    }
    if (parts.length === 0) throw new Malformed("a mangled name is empty");
    return parts;
  }

  private constructorOf(parts: readonly string[]): string {
    const isDestructor = this.peek() === "D";
    this.skip(1);
    this.accept("I");
    this.skip(1);
    return `${isDestructor ? "~" : ""}${(parts.at(-1) ?? "").replace(/^.*::|<T>$/gu, "")}`;
  }

  /** Reads something inside a function (Z function E entity). */
  private local(depth: number): string[] {
    const outer = this.name(depth + 1);
    while (!this.accept("E")) this.type(depth + 1);
    if (this.accept("s")) {
      this.discriminator();
      return [...outer, "string literal"];
    }
    if (this.accept("d")) {
      this.number();
      this.expect("_");
    }
    const inner = this.name(depth + 1);
    this.discriminator();
    return [...outer, ...inner];
  }

  private discriminator(): void {
    if (!this.accept("_")) return;
    if (this.accept("_")) {
      this.number();
      this.expect("_");
    } else this.number();
  }

  private unqualified(depth: number): string {
    if (this.accept("L")) return this.unqualified(depth);
    const next = this.peek();
    if (/^\d/u.test(next)) return this.tagged(this.sourceName());
    if (this.accept("Ul")) return this.closure(depth);
    if (this.accept("Ut")) {
      this.number();
      this.expect("_");
      return "{unnamed}";
    }
    if (this.accept("DC")) {
      const names: string[] = [];
      while (!this.accept("E")) names.push(this.sourceName());
      return `[${names.join(", ")}]`;
    }
    if (this.accept("cv")) {
      this.type(depth + 1);
      return "operator cast";
    }
    if (this.accept("li")) return `operator""${this.sourceName()}`;
    const operator = OPERATORS[this.peek(2)];
    if (operator === undefined) throw new Malformed("a mangled name is not understood");
    this.skip(2);
    return this.tagged(`operator${operator}`);
  }

  private closure(depth: number): string {
    while (!this.accept("E")) this.type(depth + 1);
    this.number();
    this.expect("_");
    return "{lambda}";
  }

  private templateArguments(parts: string[], depth: number): void {
    if (!this.accept("I")) return;
    while (!this.accept("E")) this.templateArgument(depth + 1);
    const last = parts.pop();
    if (last === undefined) throw new Malformed("a mangled name is not understood");
    parts.push(`${last}<T>`);
  }
}
