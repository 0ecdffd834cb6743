// What the demo shows of a delivered zip: its path, listing and dump-info, and how a debugger opens it.
import { mkdir, open, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { inflateRawSync } from "node:zlib";
import { bold, faint, say } from "./console.ts";
import { listZip, type ZipEntry } from "./zip-listing.ts";
import { ROOT } from "./targets.ts";
import type { DemoProgram } from "./demo-program.ts";

const SHOWN_KEYS = ["exe", "signal", "signal_name", "core_bytes", "core_complete", "uuid"];

export async function showDump(
  zip: string,
  {
    executable,
    program,
    keep,
    isReal,
  }: { executable: string; program: DemoProgram; keep: boolean; isReal: boolean },
): Promise<void> {
  const entries = await listZip(zip);
  const { size } = await stat(zip);
  say(`\n${bold("The delivered zip")}, ${formatSize(size)}:\n  ${zip}\n`);
  say(faint(`  ${"size".padStart(10)} ${"packed".padStart(10)}  name`));
  for (const { name, sizeBytes, packedBytes } of entries)
    say(`  ${formatSize(sizeBytes).padStart(10)} ${formatSize(packedBytes).padStart(10)}  ${name}`);
  const [info] = entries;
  if (info?.name.endsWith("-dump-info.json") === true)
    showInfo(JSON.parse(await readEntry(zip, info)));
  if (!isReal) {
    say(
      `\n${bold("What next")}: as root this goes through the kernel, and the core is one that a debugger opens.`,
    );
    return;
  }
  if (keep) say(`\n${bold("What next")}: open the core with a debugger.`);
  else {
    say(`\n${bold("What next")}: nothing of this is kept. Run it with \`-- --keep\` and open the`);
    say("core with a debugger:");
  }
  say(`  ${shortest(executable)} debug \\\n    '${zip}' -- -ex bt`);
  say("or, with nothing of ours:");
  say(`  unzip -p '${zip}' \\\n    '*.core' > core`);
  say(`  gdb -ex bt '${shortest(program.path)}' core`);
}

/** Where the report stays when nothing else of the demo does. */
const REPORT = join(ROOT, "out/demo-report.html");
const LINE_COLUMNS = 76;

/** The demo's last lines: where the crash's report is, and what it says. */
export async function showReport(zip: string): Promise<void> {
  const entry = (await listZip(zip)).find(({ name }) => name.endsWith("-report.html"));
  if (entry === undefined) throw new Error("the zip has no report");
  const page = await readEntry(zip, entry);
  await mkdir(join(ROOT, "out"), { recursive: true });
  await writeFile(REPORT, page);
  const title = unescapeText(/<h1>([^<]*)<\/h1>/.exec(page)?.[1] ?? "");
  say(`\n${bold("The crash as a page")}, for any browser: ${shortest(REPORT)}`);
  say(`  ${title.length > LINE_COLUMNS ? `${title.slice(0, LINE_COLUMNS - 1)}…` : title}`);
}

function unescapeText(text: string): string {
  const marks: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => marks[name] ?? "");
}

function showInfo(info: Record<string, unknown>): void {
  say(`\n${bold("dump-info.json")} says, among more:`);
  for (const key of SHOWN_KEYS)
    if (info[key] !== undefined) say(`  ${key.padEnd(14)}${JSON.stringify(info[key])}`);
}

/** A small entry's text: stored or deflated, from its local header on. */
async function readEntry(zip: string, entry: ZipEntry): Promise<string> {
  const file = await open(zip, "r");
  try {
    const head = Buffer.alloc(30);
    await file.read(head, 0, head.length, entry.offset);
    const dataAt = entry.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
    const data = Buffer.alloc(entry.packedBytes);
    await file.read(data, 0, data.length, dataAt);
    return (head.readUInt16LE(8) === 0 ? data : inflateRawSync(data)).toString();
  } finally {
    await file.close();
  }
}

/** A path as seen from here, where that is shorter. */
function shortest(path: string): string {
  const seen = relative(process.cwd(), path);
  return seen.length < path.length ? seen : path;
}

function formatSize(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
