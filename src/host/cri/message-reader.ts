// Reads one answer of CRI while it arrives, field by field, and keeps no more of each than is wanted. A tenant can
// make annotations, environment and the number of pods long, and this bounds their memory.
import type { JsonObject } from "../../model/json.ts";
import { addField, emptyMessage, sortMaps, type MessageName } from "./codec.ts";

/** How much of an answer is kept. */
export interface AnswerLimits {
  /** How many of a field's first bytes are kept; a field is one item of a list, one status or one text. */
  fieldMaxBytes: number;
  /** How many bytes of the whole answer are read. */
  totalMaxBytes: number;
}

/** Protobuf's wire types (encoding, "Message Structure"). */
const [VARINT, FIXED_64, DELIMITED, FIXED_32] = [0, 1, 2, 5] as const;
const VARINT_MAX_BYTES = 10;
/** An item's first bytes name its container or pod, so a shorter beginning is dropped. */
const BEGINNING_BYTES = 1024;

interface FieldUnderWay {
  number: number;
  sizeBytes: number;
  /** How many bytes of the field are still to come. */
  leftBytes: number;
  /** The bytes that are kept. */
  bytes: Uint8Array;
  filled: number;
}

/** Assembles one message from pieces. */
export class MessageReader {
  /** True where the limits left something out. */
  isCut = false;
  private readonly name: MessageName;
  private readonly limits: AnswerLimits;
  private readonly message: JsonObject;
  private varint: number[] = [];
  /** The tag whose length or value comes next. */
  private tag: number | undefined;
  private field: FieldUnderWay | undefined;
  private readBytes = 0;

  constructor(name: MessageName, limits: AnswerLimits) {
    this.name = name;
    this.limits = limits;
    this.message = emptyMessage(name);
  }

  /** Takes the next piece; returns false where the limits are reached. Throws for bytes that are no such message. */
  push(piece: Uint8Array): boolean {
    const wanted = piece.subarray(0, this.limits.totalMaxBytes - this.readBytes);
    this.readBytes += wanted.length;
    for (let at = 0; at < wanted.length;) {
      if (this.field === undefined) this.readByte(wanted[at++] ?? 0);
      else at += this.fill(this.field, wanted.subarray(at, at + this.field.leftBytes));
    }
    const isEnough = wanted.length < piece.length;
    if (isEnough) this.isCut = true;
    return !isEnough;
  }

  /** Returns the message. Throws where it ends within a field, unless the limits ended the reading. */
  finish(): JsonObject {
    const isWithin = this.field ?? this.tag ?? this.varint[0];
    if (isWithin !== undefined && !this.isCut)
      throw new RangeError("a field is longer than its message");
    if (this.field !== undefined && this.field.filled >= BEGINNING_BYTES) this.end(this.field);
    sortMaps(this.name, this.message);
    return this.message;
  }

  /** Takes one byte of a tag, a length or a number. */
  private readByte(byte: number): void {
    this.varint.push(byte);
    if (this.varint.length > VARINT_MAX_BYTES) throw new RangeError("invalid varint");
    if (byte > 0x7f) return;
    const value = this.varint.reduceRight((sum, part) => sum * 0x80 + (part & 0x7f), 0);
    this.varint = [];
    if (this.tag === undefined) this.beginField(value);
    else {
      if (this.tag % 8 === DELIMITED) this.begin(Math.floor(this.tag / 8), value);
      this.tag = undefined;
    }
  }

  private beginField(tag: number): void {
    const [number, wireType] = [Math.floor(tag / 8), tag % 8];
    if (number === 0) throw new RangeError("invalid field number");
    if (wireType === DELIMITED || wireType === VARINT) this.tag = tag;
    else if (wireType === FIXED_64 || wireType === FIXED_32)
      // No field of the tables has a fixed width, so its bytes are skipped.
      this.field = fieldOf(0, wireType === FIXED_64 ? 8 : 4, 0);
    else throw new RangeError(`invalid wire type ${wireType}`);
  }

  private begin(number: number, sizeBytes: number): void {
    const kept = Math.min(sizeBytes, this.limits.fieldMaxBytes);
    if (kept < sizeBytes) this.isCut = true;
    const field = fieldOf(number, sizeBytes, kept);
    if (sizeBytes === 0) this.end(field);
    else this.field = field;
  }

  /** Takes the field's bytes; returns how many of them there were. */
  private fill(field: FieldUnderWay, bytes: Uint8Array): number {
    const kept = bytes.subarray(0, field.bytes.length - field.filled);
    field.bytes.set(kept, field.filled);
    field.filled += kept.length;
    field.leftBytes -= bytes.length;
    if (field.leftBytes === 0) this.end(field);
    return bytes.length;
  }

  private end({ number, bytes, filled, sizeBytes }: FieldUnderWay): void {
    this.field = undefined;
    if (number === 0) return;
    addField(this.name, this.message, number, bytes.subarray(0, filled), filled < sizeBytes);
  }
}

function fieldOf(number: number, sizeBytes: number, keptBytes: number): FieldUnderWay {
  const bytes = new Uint8Array(keptBytes);
  return { number, sizeBytes, leftBytes: sizeBytes, bytes, filled: 0 };
}
