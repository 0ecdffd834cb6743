// `core-dump-handler man`: the manual page, made from the table of commands, in troff's man macros (man(7)).
import { VERSION } from "../model/version.ts";
import { shownOptions, type Command } from "./command.ts";

/** Writes the page for section 1, of these commands. */
export function formatManual(commands: Readonly<Record<string, Command>>): string {
  return [
    `.TH CORE\\-DUMP\\-HANDLER 1 "" "core-dump-handler ${VERSION}"`,
    ".SH NAME",
    "core\\-dump\\-handler \\- gets the core dump of a crashed container off its node",
    ".SH SYNOPSIS",
    ".B core\\-dump\\-handler",
    "COMMAND [OPTION...]",
    ".SH DESCRIPTION",
    plain(
      "The kernel hands a crashed program's core to the composer, which writes a zip with what the node knows of it and why it crashed. The agent delivers the zip to a store. The commands below install, prove and remove both, and read dumps.",
    ),
    ".SH COMMANDS",
    ...Object.entries(commands).flatMap(([name, command]) => commandLines(name, command)),
    ".SH FILES",
    ".TP",
    plain("/opt/core-dump-handler/.env"),
    plain("The agent's settings on a plain host, KEY=value lines."),
    ".TP",
    plain("HOST_DIR/composer.log"),
    plain("A line of JSON for each step of each crash."),
    ".SH SEE ALSO",
    plain("core(5), coredumpctl(1), gdb(1)"),
    "",
  ].join("\n");
}

function commandLines(name: string, { usage, about, text, options, exit }: Command): string[] {
  return [
    `.SS ${name}`,
    `.B ${escaped(`core-dump-handler ${usage}`)}`,
    ".PP",
    plain(`${about}. ${text}`),
    ...shownOptions(options).flatMap(({ word, about: what }) => [".TP", plain(word), plain(what)]),
    ".PP",
    plain(
      `Exit codes: ${Object.entries(exit)
        .map(([code, means]) => `${code} ${means}`)
        .join("; ")}.`,
    ),
  ];
}

/** One line of text that troff takes for nothing else. */
function plain(text: string): string {
  return escaped(text.replaceAll("\n", " "));
}

function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replace(/^(?=[.'])/, "\\&");
}
