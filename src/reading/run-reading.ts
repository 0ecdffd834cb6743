// The commands that read dumps, in the manner of coredumpctl: each one wired, nothing decided.
import { basename } from "node:path";
import { readAgentSettings } from "../config/agent-settings.ts";
import { EXIT } from "../model/app-error.ts";
import { formatBytes } from "../model/byte-text.ts";
import { oneLine, printableJson } from "../model/printable.ts";
import { portableFileName } from "../model/portable-name.ts";
import type { Environment } from "../host/environment.ts";
import { openFileSource } from "../store/byte-source.ts";
import type { ReadingCommand } from "./reading-command.ts";
import { debugDump } from "./debug.ts";
import { findEntry, openDumpZip, type DumpZip } from "./dump-zip.ts";
import { extractToFile, extractToStdout, fileNameOf } from "./extract.ts";
import { explainFile, explainShortly, terminalColumns } from "./explain.ts";
import { formatExplanation } from "./explanation.ts";
import { fetchDump } from "./fetch.ts";
import { formatInfo, readInfo } from "./info.ts";
import { formatList, listDumps } from "./list.ts";
import { openDirectory, openStoredDumps, type StoredDumps } from "../store/stored-dumps.ts";

const STDOUT = "-";

/** The exit code; a debugger's own for `debug`. Throws AppError. */
export async function runReading(
  command: ReadingCommand,
  environment: Environment,
): Promise<number> {
  switch (command.name) {
    case "list":
      return runList(command, environment);
    case "fetch":
      return runFetch(command, environment);
    case "info":
      return withZip(command.file, async (zip) => {
        const info = await readInfo(zip);
        print(
          command.json
            ? `${printableJson(info, 2)}\n`
            : formatInfo(zip, info, await explainShortly(zip)),
        );
        return EXIT.done;
      });
    case "explain":
      return runExplain(command);
    case "extract":
      return withZip(command.file, (zip) => runExtract(zip, command));
    case "debug":
      return withZip(command.file, (zip) => debugDump(zip, command.debuggerArgs));
  }
}

async function runExplain({
  file,
  sysroot,
  modules,
  json,
}: Extract<ReadingCommand, { name: "explain" }>): Promise<number> {
  const summary = await explainFile(file, { sysroot, modules });
  print(json ? `${printableJson(summary, 2)}\n` : formatExplanation(summary, terminalColumns()));
  return EXIT.done;
}

async function runList(
  command: Extract<ReadingCommand, { name: "list" }>,
  environment: Environment,
): Promise<number> {
  const dumps = await openListed(command, environment);
  try {
    const listed = await listDumps(dumps, command);
    if (command.json) print(`${printableJson(listed, 2)}\n`);
    else
      print(listed.length === 0 ? `${oneLine(`no dumps in ${dumps.name}`)}\n` : formatList(listed));
    return EXIT.done;
  } finally {
    dumps.close();
  }
}

async function openListed(
  { folder, store }: Extract<ReadingCommand, { name: "list" }>,
  environment: Environment,
): Promise<StoredDumps> {
  if (folder !== undefined) return openDirectory(folder);
  const settings = readAgentSettings(environment);
  return store ? openStoredDumps(settings) : openDirectory(settings.CORE_DIR);
}

async function runFetch(
  { key, output, force }: Extract<ReadingCommand, { name: "fetch" }>,
  environment: Environment,
): Promise<number> {
  const dumps = await openStoredDumps(readAgentSettings(environment));
  try {
    const path = output ?? portableFileName(basename(key));
    const { sizeBytes, resumedAtBytes } = await fetchDump(dumps, key, path, force);
    const resumed = resumedAtBytes === 0 ? "" : `, resumed at ${formatBytes(resumedAtBytes)}`;
    print(`${oneLine(path)}  ${formatBytes(sizeBytes)}, verified${resumed}\n`);
    return EXIT.done;
  } finally {
    dumps.close();
  }
}

async function runExtract(
  zip: DumpZip,
  { entry: wanted, output, force }: Extract<ReadingCommand, { name: "extract" }>,
): Promise<number> {
  const entry = findEntry(zip, wanted ?? "core");
  if (output === STDOUT) {
    await extractToStdout(zip, entry);
    return EXIT.done;
  }
  const path = output ?? fileNameOf(entry);
  await extractToFile(zip, entry, path, force);
  print(`${oneLine(path)}  ${formatBytes(entry.sizeBytes)}\n`);
  return EXIT.done;
}

async function withZip<T>(file: string, run: (zip: DumpZip) => Promise<T>): Promise<T> {
  const source = await openFileSource(file);
  try {
    return await run(await openDumpZip(source));
  } finally {
    await source.close();
  }
}

function print(text: string): void {
  process.stdout.write(text);
}
