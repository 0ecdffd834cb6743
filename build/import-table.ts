// `bun build/import-table.ts`: who imports whom in src/, by folder. Fails on a circle (type-only imports count) and
// on an import against the order of layers or of the agent's wings, both of which are tables here.
import { dirname, join, relative, resolve } from "node:path";
import { readFile } from "node:fs/promises";
import { Glob } from "bun";
import { ROOT } from "./targets.ts";

/** Lower numbers are imported by higher ones; two different folders of one number never import each other. */
const LAYERS: Readonly<Record<string, number>> = {
  model: 0,
  config: 1,
  host: 1,
  store: 2,
  explain: 2,
  report: 2,
  explainer: 3,
  composer: 3,
  listener: 3,
  agent: 3,
  reading: 3,
  command: 4,
  "main.ts": 5,
};

/** The agent's wings, from those that know nothing of the others to those that use them. */
const WINGS: readonly string[] = [
  "metrics",
  "kubernetes",
  "canary",
  "install",
  "harvest",
  "capture",
  "doctor",
  "observe",
  "recovery",
  "delivery",
  "modules",
  "notify",
  "sweep",
  "vm",
  "agent.ts",
  "run.ts",
];

const IMPORT = /(?:\bfrom|\bimport|\bimport\()\s*"(\.{1,2}\/[^"]+\.ts)"/g;

export interface ImportTable {
  /** One line a layer, then one a wing of the agent: rooms, and the rooms that they import. */
  lines: readonly string[];
  /** One sentence for each circle and each import against the order. */
  faults: readonly string[];
}

/** The table of the sources below `root` (a checkout of this project). */
export async function readImportTable(root: string): Promise<ImportTable> {
  const imports = await readImports(join(root, "src"));
  const faults = [...findUpward(imports), ...findCircles(imports)];
  const agent = new Map(
    [...imports]
      .filter(([file]) => file.startsWith("agent/"))
      .map(([file, targets]) => [
        file.slice("agent/".length),
        targets.filter((to) => to.startsWith("agent/")).map((to) => to.slice("agent/".length)),
      ]),
  );
  return { lines: [...describe("src", imports), ...describe("src/agent", agent)], faults };
}

/** Each file below src with the files that it imports, both relative to src. */
async function readImports(src: string): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>();
  for (const file of [...new Glob("**/*.ts").scanSync(src)].toSorted()) {
    const text = await readFile(join(src, file), "utf8");
    const targets = [...text.matchAll(IMPORT)].map(([, path = ""]) =>
      relative(src, resolve(src, dirname(file), path)),
    );
    imports.set(file, [...new Set(targets)].toSorted());
  }
  return imports;
}

/** A room is a folder, or a file that stands loose beside folders. */
function roomOf(file: string): string {
  return file.split("/")[0] ?? file;
}

function describe(title: string, imports: ReadonlyMap<string, readonly string[]>): string[] {
  const rooms = new Map<string, { files: number; uses: Set<string> }>();
  for (const [file, targets] of imports) {
    const room = rooms.get(roomOf(file)) ?? { files: 0, uses: new Set<string>() };
    room.files += 1;
    for (const target of targets)
      if (roomOf(target) !== roomOf(file)) room.uses.add(roomOf(target));
    rooms.set(roomOf(file), room);
  }
  const edges = [...rooms.values()].reduce((sum, { uses }) => sum + uses.size, 0);
  const head = `${title}: ${rooms.size} rooms, ${edges} imports between them`;
  const rows = [...rooms].map(
    ([name, { files, uses }]) =>
      `  ${name.padEnd(14)} ${String(files).padStart(3)} files  ${[...uses].toSorted().join(" ")}`,
  );
  return [head, ...rows];
}

function findUpward(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const faults: string[] = [];
  for (const [file, targets] of imports)
    for (const target of targets)
      if (isUpward(file, target)) faults.push(`${file} imports ${target}, against the order`);
  return faults;
}

function isUpward(file: string, target: string): boolean {
  const [from, to] = [roomOf(file), roomOf(target)];
  if (from !== to) return rank(LAYERS, to) >= rank(LAYERS, from);
  if (from !== "agent") return false;
  const [wing, other] = [file, target].map((path) => WINGS.indexOf(path.split("/")[1] ?? ""));
  if (wing === undefined || other === undefined) return false;
  return wing < 0 || other < 0 || other > wing;
}

/** A folder that no table names may be imported by nobody. */
function rank(layers: Readonly<Record<string, number>>, room: string): number {
  return layers[room] ?? Number.POSITIVE_INFINITY;
}

/** Each circle once, as its files in the order of the imports (Tarjan's components would only name its members). */
function findCircles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push(`a circle: ${[...path.slice(at), file].join(" -> ")}`);
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const target of imports.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of imports.keys()) visit(file);
  return circles;
}

if (import.meta.main) {
  const { lines, faults } = await readImportTable(ROOT);
  for (const line of [...lines, "", ...faults]) console.log(line);
  console.log(faults.length === 0 ? "no circle, no upward import" : `${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
