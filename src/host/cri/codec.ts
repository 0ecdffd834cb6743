// Encodes and decodes CRI messages by the tables in messages.ts, which are generated from cri.proto, with the wire
// reader and writer of @bufbuild/protobuf. A decoded message is JSON as crictl prints it: lowerCamel names, 64-bit
// numbers as text, enums by name, every field present, an unset message null.
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { textAt, type Json, type JsonObject } from "../../model/json.ts";
import type { Field, FieldTable } from "./field-table.ts";
import { ENUMS, MESSAGES } from "./messages.ts";

/** The name of a CRI message. */
export type MessageName = keyof typeof MESSAGES;

const WIRE_TYPE: Record<Field["type"], WireType> = {
  string: WireType.LengthDelimited,
  message: WireType.LengthDelimited,
  map: WireType.LengthDelimited,
  bool: WireType.Varint,
  int64: WireType.Varint,
  uint64: WireType.Varint,
  int32: WireType.Varint,
  uint32: WireType.Varint,
  enum: WireType.Varint,
};

/** Decodes a message and ignores fields of a newer runtime. Throws for bytes that are no such message. */
export function decodeMessage(name: MessageName, bytes: Uint8Array): JsonObject {
  return readMessage(new FieldReader(bytes, false), bytes.length, MESSAGES[name]);
}

/** Returns a message with no field set. */
export function emptyMessage(name: MessageName): JsonObject {
  return emptyOf(MESSAGES[name]);
}

/**
 * Decodes one field, by its number, and adds it to a message. `bytes` come without tag and length; with isCut they are
 * only the first ones, and the result then has what is whole of the field, or a text's beginning. Throws for bytes that
 * are no such field.
 */
export function addField(
  name: MessageName,
  message: JsonObject,
  number: number,
  bytes: Uint8Array,
  isCut: boolean,
): void {
  const table: FieldTable = MESSAGES[name];
  const field = table.find((candidate) => candidate.number === number);
  if (field === undefined || WIRE_TYPE[field.type] !== WireType.LengthDelimited) return;
  const reader = new FieldReader(bytes, isCut);
  if (field.type === "string") put(message, field, reader.rest());
  else if (field.type === "map") Object.assign(message[field.name] ?? {}, mapEntry(reader));
  else put(message, field, readMessage(reader, bytes.length, tableOf(field)));
}

class FieldReader extends BinaryReader {
  readonly isCut: boolean;
  private readonly message: Uint8Array;

  constructor(bytes: Uint8Array, isCut: boolean) {
    super(bytes);
    this.message = bytes;
    this.isCut = isCut;
  }

  /**
   * Returns the position sizeBytes further on. Throws where that is behind the last byte, unless bytes were cut off.
   */
  endOf(sizeBytes: number): number {
    const end = this.pos + sizeBytes;
    if (end > this.len && !this.isCut)
      throw new RangeError("a message is longer than what holds it");
    return Math.min(end, this.len);
  }

  override string(): string {
    return this.text(this.endOf(this.uint32()));
  }

  rest(): string {
    return this.text(this.len);
  }

  private text(end: number): string {
    const text = UTF8.decode(this.message.subarray(this.pos, end));
    this.pos = end;
    return text;
  }
}

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Encodes a message and leaves out fields that the value lacks, because proto3 has a default for each. */
export function encodeMessage(name: MessageName, value: JsonObject): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeMessage(writer, MESSAGES[name], value);
  return writer.finish();
}

function readMessage(reader: FieldReader, sizeBytes: number, table: FieldTable): JsonObject {
  const end = reader.endOf(sizeBytes);
  const message = emptyOf(table);
  try {
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const field = table.find((candidate) => candidate.number === number);
      if (field === undefined || WIRE_TYPE[field.type] !== wireType) reader.skip(wireType, number);
      else readField(reader, field, message);
    }
  } catch (error) {
    // The bytes were cut in the middle of a number; the fields before it count.
    if (!reader.isCut || !(error instanceof RangeError)) throw error;
    reader.pos = end;
  }
  if (reader.pos !== end) throw new RangeError("a field is longer than its message");
  sortMapsOf(table, message);
  return message;
}

function emptyOf(table: FieldTable): JsonObject {
  return Object.fromEntries(table.map((field) => [field.name, absent(field)]));
}

/** Sorts a message's maps by key, because runtimes send them in any order. */
export function sortMaps(name: MessageName, message: JsonObject): void {
  sortMapsOf(MESSAGES[name], message);
}

function sortMapsOf(table: FieldTable, message: JsonObject): void {
  for (const { name, type } of table)
    if (type === "map")
      message[name] = Object.fromEntries(
        Object.entries(message[name] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
      );
}

function readField(reader: FieldReader, field: Field, message: JsonObject): void {
  if (field.type === "map") Object.assign(message[field.name] ?? {}, readMapEntry(reader));
  else put(message, field, readValue(reader, field));
}

function put(message: JsonObject, field: Field, value: Json): void {
  const known = message[field.name];
  if (Array.isArray(known)) known.push(value);
  else message[field.name] = value;
}

function readValue(reader: FieldReader, field: Field): Json {
  switch (field.type) {
    case "message":
      return readMessage(reader, reader.uint32(), tableOf(field));
    case "enum":
      return enumName(field, reader.int32());
    case "string":
      return reader.string();
    case "bool":
      return reader.bool();
    case "int32":
      return reader.int32();
    case "uint32":
      return reader.uint32();
    case "int64":
      return String(reader.int64());
    case "uint64":
      return String(reader.uint64());
    case "map":
      return readMapEntry(reader);
    default:
      return field.type satisfies never;
  }
}

/** An entry of map<string, string> is a message of the fields 1 and 2 (protobuf, encoding of maps). */
function readMapEntry(reader: FieldReader): JsonObject {
  return mapEntry(reader, reader.uint32());
}

function mapEntry(reader: FieldReader, sizeBytes = reader.len): JsonObject {
  const entry = readMessage(reader, sizeBytes, MAP_ENTRY);
  return Object.fromEntries([[textAt(entry, "key"), textAt(entry, "value")]]);
}

const MAP_ENTRY: FieldTable = [
  { number: 1, name: "key", type: "string" },
  { number: 2, name: "value", type: "string" },
];

function absent(field: Field): Json {
  if (field.repeated === true) return [];
  switch (field.type) {
    case "message":
      return null;
    case "enum":
      return enumName(field, 0);
    case "map":
      return {};
    case "bool":
      return false;
    case "int32":
    case "uint32":
      return 0;
    case "int64":
    case "uint64":
      return "0";
    case "string":
      return "";
    default:
      return field.type satisfies never;
  }
}

function tableOf({ of = "" }: Field): FieldTable {
  return (MESSAGES as Record<string, FieldTable>)[of] ?? [];
}

/** Returns an enum's name; an unknown, newer value stays a number, as in protobuf's own JSON. */
function enumName({ of = "" }: Field, value: number): Json {
  return (ENUMS as Record<string, Record<number, string>>)[of]?.[value] ?? value;
}

function writeMessage(writer: BinaryWriter, table: FieldTable, value: JsonObject): void {
  for (const field of table) {
    const given = value[field.name];
    if (given === undefined || given === null) continue;
    if (field.type === "map") {
      for (const [key, text] of Object.entries(given))
        writeNested(writer, field, MAP_ENTRY, { key, value: text });
    } else if (field.type === "message")
      writeNested(writer, field, tableOf(field), given as JsonObject);
    else if (typeof given === "string") writer.tag(field.number, WIRE_TYPE.string).string(given);
    else if (typeof given === "boolean") writer.tag(field.number, WIRE_TYPE.bool).bool(given);
    else throw new TypeError(`no request of ours has a field like ${field.name}`);
  }
}

function writeNested(
  writer: BinaryWriter,
  field: Field,
  table: FieldTable,
  value: JsonObject,
): void {
  writer.tag(field.number, WIRE_TYPE.message).fork();
  writeMessage(writer, table, value);
  writer.join();
}
