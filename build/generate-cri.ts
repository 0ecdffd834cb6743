// Regenerates src/composer/metadata/cri/generated from cri.proto, with buf and protoc-gen-es, which are
// fetched into a temporary directory: they are needed only when cri.proto changes (128 MB).
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { ROOT } from "./targets.ts";

const CRI = join(ROOT, "src/composer/metadata/cri");
const TOOLS = [
  "@bufbuild/buf@1.75.0",
  // The generator and the library belong together.
  `@bufbuild/protoc-gen-es@${packageJson.dependencies["@bufbuild/protobuf"]}`,
];

const directory = await mkdtemp(join(tmpdir(), "generate-cri-"));
try {
  await writeFile(join(directory, "package.json"), JSON.stringify({ private: true }));
  await run([process.execPath, "add", "--exact", "--ignore-scripts", ...TOOLS]);
  await cp(join(CRI, "cri.proto"), join(directory, "cri.proto"));
  const plugin = {
    local: join(directory, "node_modules/.bin/protoc-gen-es"),
    out: "generated",
    // Not TypeScript: its enums are not erasable.
    opt: ["target=js+dts"],
  };
  const template = JSON.stringify({ version: "v2", plugins: [plugin] });
  const buf = join(directory, "node_modules/.bin/buf");
  await run([buf, "generate", "--template", template, "--path", "cri.proto"]);
  await cp(join(directory, "generated"), join(CRI, "generated"), { recursive: true });
  await run([process.execPath, "fmt", "--no-script", join(CRI, "generated")], ROOT);
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function run(command: string[], cwd: string = directory): Promise<void> {
  const exitCode = await Bun.spawn(command, { cwd, stdio: ["ignore", "inherit", "inherit"] })
    .exited;
  if (exitCode !== 0) throw new Error(`${command[0]} ended with ${exitCode}`);
}
