// Makes the texts of --help from the table of commands: the general one, and a page for each command.
import { shownOptions } from "./command.ts";
import { COMMAND_NAMES, COMMANDS, type CommandName } from "./table.ts";

const HEADINGS = { host: "on a host", dumps: "dumps", roles: "for the kernel, the agent, a shell" };

const SETTINGS = `settings
  They come from the environment, then from a .env file beside the executable.
  HOST_DIR         where the composer is installed (/var/mnt/core-dump-handler)
  CORE_DIR         where dumps are kept until uploaded (HOST_DIR/cores)
  CAPTURE_MODE     how cores come: pipe, socket, file, or auto: the first that is seen to work
  INTERVAL         milliseconds between uploads; or SCHEDULE (cron); USE_INOTIFY goes with either.
                   None of the three: nothing is uploaded
  S3_BUCKET_NAME   the bucket, with S3_REGION, S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET
  STORE_URL        s3://bucket/prefix, azblob://account/container/prefix, gs://bucket/prefix, or
                   file:///a/directory
  COMP_…           the composer's settings
  docs/settings.md has them all; docs/operations.md explains every log line and exit code.

exit codes
  0 done   1 could not   2 wrong command line or settings, nothing was changed
`;

/** Writes the general text. */
export function formatHelp(): string {
  const groups = Object.entries(HEADINGS).map(([group, heading]) =>
    [heading, ...COMMAND_NAMES.filter((name) => COMMANDS[name].group === group).map(row)].join(
      "\n",
    ),
  );
  return `core-dump-handler: gets the core dump of a crashed container off its node

usage
  core-dump-handler COMMAND [OPTION…]   no arguments at all: the agent
  core-dump-handler COMMAND --help      more about one command
  core-dump-handler --help | --version  this text | the version

${groups.join("\n\n")}

${SETTINGS}`;
}

const USAGE_WIDTH = 30;

/** Writes a command's row; a long usage gets its own line. */
function row(name: CommandName): string {
  const { usage, about } = COMMANDS[name];
  const words = `  ${usage}`;
  if (words.length < USAGE_WIDTH) return `${words.padEnd(USAGE_WIDTH)} ${about}`;
  return `${words}\n${" ".repeat(USAGE_WIDTH)} ${about}`;
}

/** Writes one command's page. */
export function formatPage(name: CommandName): string {
  const { usage, about, options, text, exit } = COMMANDS[name];
  const rows = shownOptions(options);
  const width = Math.max(0, ...rows.map(({ word }) => word.length));
  const lines = [
    `core-dump-handler ${usage}`,
    "",
    `  ${about}`,
    "",
    ...text.split("\n").map((line) => `  ${line}`),
    ...(rows.length === 0 ? [] : ["", "options"]),
    ...rows.map(({ word, about: what }) => `  ${word.padEnd(width)}  ${what}`),
    "",
    "exit codes",
    ...Object.entries(exit).map(([code, means]) => `  ${code}  ${means}`),
  ];
  return `${lines.join("\n")}\n`;
}
