// The shape of the tables in messages.ts, which describe CRI messages for codec.ts.

/** A message's fields. */
export type FieldTable = readonly Field[];

/** One field of a message. */
export interface Field {
  number: number;
  name: string;
  /** map is map<string, string>, the only kind in CRI's messages. */
  type: "string" | "bool" | "int64" | "uint64" | "int32" | "uint32" | "message" | "enum" | "map";
  /** The message's or enum's name. */
  of?: string;
  repeated?: boolean;
}
