// How a CRI message is described: the tables in messages.ts have this shape, and codec.ts goes by it.

export type FieldTable = readonly Field[];

export interface Field {
  number: number;
  name: string;
  /** map is map<string, string>, the only kind in CRI's messages. */
  type: "string" | "bool" | "int64" | "uint64" | "int32" | "uint32" | "message" | "enum" | "map";
  /** The message's or enum's name. */
  of?: string;
  repeated?: boolean;
}
