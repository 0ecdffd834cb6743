// Regenerates src/host/cri/messages.ts from cri.proto: the messages as tables for codec.ts.
// Not the code that protoc-gen-es would write: that needs protobuf-es's reflection at run time, 14 MB of
// the composer's 64. buf, which reads the .proto, is fetched into a temporary directory (128 MB).
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createFileRegistry,
  fromBinary,
  type DescField,
  type DescMessage,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ROOT } from "./targets.ts";

const CRI = join(ROOT, "src/host/cri");
const BUF = "@bufbuild/buf@1.75.0";
const SCALARS: Record<number, string> = {
  3: "int64",
  4: "uint64",
  5: "int32",
  8: "bool",
  9: "string",
  13: "uint32",
};

const HEAD = `// CRI's messages as tables, generated from cri.proto by build/generate-cri.ts. Not to be edited.
import type { FieldTable } from "./field-table.ts";
`;

const directory = await mkdtemp(join(tmpdir(), "generate-cri-"));
try {
  const image = await compile(directory);
  const output = join(CRI, "messages.ts");
  await writeFile(output, `${HEAD}\n${tables(image)}`);
  await run([process.execPath, "fmt", "--no-script", output], ROOT);
} finally {
  await rm(directory, { recursive: true, force: true });
}

/** cri.proto as a FileDescriptorSet. */
async function compile(folder: string): Promise<Uint8Array> {
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  await run([process.execPath, "add", "--exact", "--ignore-scripts", BUF], folder);
  await cp(join(CRI, "cri.proto"), join(folder, "cri.proto"));
  const buf = join(folder, "node_modules/.bin/buf");
  await run(
    [buf, "build", "--path", "cri.proto", "--as-file-descriptor-set", "-o", "cri.binpb"],
    folder,
  );
  return new Uint8Array(await Bun.file(join(folder, "cri.binpb")).arrayBuffer());
}

function tables(image: Uint8Array): string {
  const file = createFileRegistry(fromBinary(FileDescriptorSetSchema, image)).getFile("cri.proto");
  if (file === undefined) throw new Error("buf compiled no cri.proto");
  const enums = file.enums.map(
    ({ name, values }) =>
      `  ${name}: {${values.map((value) => `${value.number}: ${JSON.stringify(value.name)}`).join(", ")}},\n`,
  );
  const messages = file.messages.map(
    (message) => `  ${message.name}: [${message.fields.map(fieldRow).join(", ")}],\n`,
  );
  return (
    `export const ENUMS = {\n${enums.join("")}} as const;\n\n` +
    `export const MESSAGES = {\n${messages.join("")}} as const satisfies Record<string, FieldTable>;\n`
  );
}

function fieldRow(field: DescField): string {
  const base = { number: field.number, name: field.jsonName };
  return JSON.stringify({ ...base, ...typeOf(field) });
}

function typeOf(field: DescField): Record<string, string | boolean> {
  switch (field.fieldKind) {
    case "map":
      if (scalar(field.scalar) !== "string") throw new Error(`${field.name}: only text is mapped`);
      return { type: "map" };
    case "list":
      if (field.listKind === "scalar") return { type: scalar(field.scalar), repeated: true };
      return { type: "message", of: nameOf(field.message), repeated: true };
    case "message":
      return { type: "message", of: nameOf(field.message) };
    case "enum":
      return { type: "enum", of: field.enum.name };
    case "scalar":
      return { type: scalar(field.scalar) };
    default:
      return field satisfies never;
  }
}

function scalar(type: number | undefined): string {
  const name = SCALARS[type ?? 0];
  if (name === undefined) throw new Error(`codec.ts does not know scalar type ${type}`);
  return name;
}

function nameOf(message: DescMessage | undefined): string {
  if (message === undefined) throw new Error("codec.ts knows no repeated enums");
  return message.name;
}

async function run(command: string[], cwd: string): Promise<void> {
  const exitCode = await Bun.spawn(command, { cwd, stdio: ["ignore", "inherit", "inherit"] })
    .exited;
  if (exitCode !== 0) throw new Error(`${command[0]} ended with ${exitCode}`);
}
