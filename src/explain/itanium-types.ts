// Passes over the types and template arguments in an Itanium-mangled name, of which only substitutions and template
// parameters have a text. Source: the Itanium C++ ABI, section 5.1.5.
import { ABBREVIATIONS } from "./itanium-tables.ts";
import { ItaniumText } from "./itanium-text.ts";
import { Malformed } from "./malformed.ts";

/** How deep names and types may lie in each other. */
export const DEPTH_MAX = 32;
/** Stands for a part that was written earlier in the name. */
export const ABBREVIATED = "S_";

/** A reader of types; the names in them are its subclass's. Throws Malformed for what it does not understand. */
export abstract class ItaniumTypes extends ItaniumText {
  /** Reads a name and returns the parts between "::". */
  abstract name(depth: number): string[];

  /** ABI tags: [abi:cxx11]. */
  protected tagged(name: string): string {
    while (this.accept("B")) this.sourceName();
    return name;
  }

  protected substitution(): string {
    this.expect("S");
    const abbreviation = ABBREVIATIONS[this.peek()];
    if (abbreviation !== undefined) {
      this.skip(1);
      return this.tagged(abbreviation);
    }
    // What it stands for would need all types understood; no function's own scope is written so.
    this.sequence();
    return ABBREVIATED;
  }

  protected templateParameter(): string {
    this.expect("T");
    if (this.accept("L")) {
      this.number();
      this.expect("_");
    }
    this.sequence();
    return "T";
  }

  protected templateArgument(depth: number): void {
    if (this.accept("L")) this.literal(depth);
    else if (this.accept("X")) {
      this.expression(depth);
    } else if (this.accept("J")) {
      while (!this.accept("E")) this.templateArgument(depth + 1);
    } else this.type(depth);
  }

  private literal(depth: number): void {
    if (this.accept("_Z")) {
      this.name(depth + 1);
      while (!this.accept("E")) this.type(depth + 1);
      return;
    }
    this.type(depth + 1);
    this.take(/^[0-9a-fn_]{0,64}E/u, 65);
  }

  /**
   * The address of a function or variable. Other expressions have a grammar of their own: not read, so that no two
   * names are taken for one.
   */
  private expression(depth: number): void {
    this.expect("adL");
    this.literal(depth);
    this.expect("E");
  }

  protected type(depth: number): void {
    if (depth > DEPTH_MAX) throw new Malformed("a mangled name is too deep");
    const letter = this.peek();
    if (letter === "") throw new Malformed("a mangled name is cut short");
    if (/^[PROKVrCG]$/u.test(letter)) return this.wrapped(1, depth);
    if (/^[a-z]$/u.test(letter) && letter !== "u") return this.skip(1);
    if (letter === "u") {
      this.skip(1);
      this.sourceName();
      return;
    }
    if (letter === "S") return this.substitutedType(depth);
    if (letter === "T") {
      this.templateParameter();
      if (this.accept("I")) while (!this.accept("E")) this.templateArgument(depth + 1);
      return;
    }
    if (letter === "F") return this.functionType(depth);
    if (letter === "A") return this.arrayType(depth);
    if (letter === "M") {
      this.skip(1);
      this.type(depth + 1);
      this.type(depth + 1);
      return;
    }
    if (letter === "D") return this.extendedType(depth);
    this.name(depth + 1);
  }

  private wrapped(length: number, depth: number): void {
    this.skip(length);
    this.type(depth + 1);
  }

  private substitutedType(depth: number): void {
    if (this.peek(2) === "St") {
      this.name(depth + 1);
      return;
    }
    this.substitution();
    if (this.accept("I")) while (!this.accept("E")) this.templateArgument(depth + 1);
  }

  private functionType(depth: number): void {
    this.skip(1);
    this.accept("Y");
    while (!this.accept("E")) {
      if (/^[RO]E/u.test(this.peek(2))) this.skip(1);
      else this.type(depth + 1);
    }
  }

  private arrayType(depth: number): void {
    this.skip(1);
    this.number();
    this.expect("_");
    this.type(depth + 1);
  }

  private extendedType(depth: number): void {
    const second = this.peek(2).slice(1);
    if (second === "p") return this.wrapped(2, depth);
    if (second === "o" || second === "x") return this.wrapped(2, depth);
    if (/^[adefhnisuc]$/u.test(second)) return this.skip(2);
    throw new Malformed("a mangled name has a type that is not understood");
  }
}
