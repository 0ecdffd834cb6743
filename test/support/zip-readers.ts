// Independent readers of the zips that we write: Info-ZIP's unzip, Python's zipfile (both by the central
// directory) and libarchive's bsdtar (as a stream). Each one's verdict, and the sizes that it sees.
import { missingProgram } from "./gate.ts";

export interface Reading {
  reader: string;
  ok: boolean;
  /** What it said, for the failure message. */
  output: string;
  /** Sizes by entry name, in the order in which it lists them. */
  sizes: Record<string, number>;
}

const PYTHON = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    bad = z.testzip()
    print(json.dumps({"bad": bad, "sizes": {i.filename: i.file_size for i in z.infolist()}}))
`;

export function readersObstacle(): string | undefined {
  return missingProgram("unzip") ?? missingProgram("python3") ?? missingProgram("bsdtar");
}

/** Every reader's view of the zip, data and check sums included. */
export async function readWithAll(zip: string): Promise<Reading[]> {
  return Promise.all([readWithUnzip(zip), readWithPython(zip), readWithBsdtar(zip)]);
}

/** An entry's bytes by unzip's own judgement, as a stream; the names are patterns to unzip. */
export function extract(zip: string, pattern: string): ReadableStream<Uint8Array> {
  return Bun.spawn(["unzip", "-p", zip, pattern], { stdio: ["ignore", "pipe", "inherit"] }).stdout;
}

export async function extractText(zip: string, pattern: string): Promise<string> {
  return new Response(extract(zip, pattern)).text();
}

async function readWithUnzip(zip: string): Promise<Reading> {
  const [check, list] = await Promise.all([run(["unzip", "-t", zip]), run(["unzip", "-lqq", zip])]);
  return {
    reader: "unzip",
    ok: check.ok && list.ok && !/warning/i.test(check.output),
    output: check.output,
    sizes: sizesBy(list.output, /^ *(\d+) +\S+ \S+ +(.*)$/gm),
  };
}

async function readWithPython(zip: string): Promise<Reading> {
  const { ok, output } = await run(["python3", "-c", PYTHON, zip]);
  if (!ok) return { reader: "zipfile", ok, output, sizes: {} };
  const { bad, sizes }: { bad: string | null; sizes: Record<string, number> } = JSON.parse(output);
  return { reader: "zipfile", ok: bad === null, output, sizes };
}

async function readWithBsdtar(zip: string): Promise<Reading> {
  // From a pipe it cannot seek: the local headers and data descriptors have to do.
  const stream = ["sh", "-c", `cat "$1" | bsdtar -xOf - >/dev/null`, "sh", zip];
  const [check, list] = await Promise.all([run(stream), run(["bsdtar", "-tvf", zip])]);
  return {
    reader: "bsdtar",
    ok: check.ok && list.ok,
    output: check.output + list.output,
    sizes: sizesBy(list.output, /^\S+ +\S+ +\S+ +\S+ +(\d+) +\S+ +\S+ +\S+ (.*)$/gm),
  };
}

function sizesBy(listing: string, line: RegExp): Record<string, number> {
  return Object.fromEntries(
    [...listing.matchAll(line)].map(([, size, name]) => [name ?? "", Number(size)]),
  );
}

async function run(argv: string[]): Promise<{ ok: boolean; output: string }> {
  const child = Bun.spawn(argv, { stdio: ["ignore", "pipe", "pipe"] });
  const texts = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { ok: child.exitCode === 0, output: `${texts[0]}${texts[1]}` };
}
