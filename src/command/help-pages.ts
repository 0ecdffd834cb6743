// A page for each command, as data: `COMMAND --help` prints it, and shell completion is made of it.
import { AppError } from "../model/app-error.ts";
import { HELP } from "./help.ts";

export interface HelpPage {
  /** The command line after the program's name. */
  usage: string;
  /** One line. */
  about: string;
  /** By "name" or "name VALUE", without dashes. */
  options: Readonly<Record<string, string>>;
  text: string;
  exit: Readonly<Record<number, string>>;
}

const USUAL_EXIT = { 0: "done", 1: "could not", 2: "wrong command line or settings" };

export const HELP_PAGES: Readonly<Record<string, HelpPage>> = {
  agent: {
    usage: "agent",
    about: "install on this host, then deliver dumps until told to stop",
    options: {},
    text: "What it installed stays when it ends, so that no crash is missed; remove takes it back. CAPTURE_MODE\nsays how cores come (docs/platforms.md); auto finds out by a crash of our own. Settings come\nfrom the environment, then from .env beside the executable (docs/operations.md).",
    exit: { ...USUAL_EXIT, 0: "told to stop (SIGTERM, SIGINT), and stopped" },
  },
  apply: {
    usage: "apply",
    about: "put composer and kernel settings in place, and end",
    options: {},
    text: "For the start of a machine: core_pattern is lost at every boot.",
    exit: USUAL_EXIT,
  },
  install: {
    usage: "install --config FILE",
    about: "set a plain host up: program, systemd units, kernel",
    options: { "config FILE": "the agent's settings, KEY=value lines" },
    text: "Copies this executable and FILE (as .env) to /opt/core-dump-handler, writes two systemd units and\nstarts them. Run it again after a change. docs/vm.md tells more.",
    exit: USUAL_EXIT,
  },
  remove: {
    usage: "remove [--when-uninstalled | --behind-uninstall [--stay]]",
    about: "restore the kernel's settings, delete what was installed",
    options: {
      "when-uninstalled": "only if the DaemonSet itself is going (a preStop hook)",
      "behind-uninstall":
        "wait until it is known whether the DaemonSet is gone (the chart's clean-up)",
      stay: "behind that, wait for SIGTERM",
    },
    text: "Dumps that were not delivered stay. On a plain host units and program go too. Safe to run again.",
    exit: USUAL_EXIT,
  },
  "await-removal": {
    usage: "await-removal DAEMONSET [--within SECONDS]",
    about: "wait until the chart's clean-up is done on every node",
    options: { "within SECONDS": "how long; 120 where it is not said" },
    text: "What the chart's Job does behind helm uninstall, in its own namespace.",
    exit: { ...USUAL_EXIT, 1: "a node was not cleaned in that time" },
  },
  doctor: {
    usage: "doctor [--json]",
    about: "check a crash's whole way, and prove it by a crash of our own",
    options: { json: "the findings as JSON on stdout" },
    text: "Progress on stderr, the findings on stdout: for each failure the broken link, what shows it, and the\nremedy. The crash's dump is never delivered. NO_COLOR turns colours off.",
    exit: { 0: "nothing failed; warnings may stand", 1: "a check failed", 2: USUAL_EXIT[2] },
  },
  sweep: {
    usage: "sweep [FILE]",
    about: "deliver every finished dump now, or just FILE",
    options: {},
    text: "Safe beside a running agent.",
    exit: { ...USUAL_EXIT, 1: "a dump is left" },
  },
  listen: {
    usage: "listen",
    about: "take cores on the kernel's coredump socket (CAPTURE_MODE socket)",
    options: {},
    text: "Listens at HOST_DIR/cdc.sock and starts a composer for every core. On a plain host the agent starts it; in\na pod it is a container of its own. SIGTERM: core_pattern goes back, what is under way is finished.",
    exit: USUAL_EXIT,
  },
  "crash-test": {
    usage: "crash-test",
    about: "crash a child and wait until its dump was delivered",
    options: {},
    text: "What helm test does: unlike the doctor's, this dump goes to the store.",
    exit: USUAL_EXIT,
  },
  completion: {
    usage: "completion bash|zsh|fish",
    about: "what a shell needs to complete our commands",
    options: {},
    text: "source <(core-dump-handler completion bash), likewise zsh;\ncore-dump-handler completion fish | source",
    exit: USUAL_EXIT,
  },
  list: {
    usage: "list [FOLDER | --store] [--since TIME] [--namespace NS] [--prefix KEY] [--json]",
    about: "the dumps in CORE_DIR, a folder or the store",
    options: {
      store: "in the store instead",
      "prefix KEY": "only keys that begin so",
      "since TIME": "24h, 7d, 2026-11-22 or 2026-11-22T10:00:00Z",
      "namespace NS": "only this namespace's",
      json: "one JSON array",
    },
    text: "Time, namespace/pod/container, executable, signal, size, and whether the core is whole.",
    exit: USUAL_EXIT,
  },
  info: {
    usage: "info FILE [--json]",
    about: "who crashed, is the core whole, what is inside",
    options: { json: "dump-info and the entries as JSON" },
    text: "Tells how to go on, too.",
    exit: USUAL_EXIT,
  },
  explain: {
    usage: "explain FILE [--sysroot DIR] [--modules DIR] [--json]",
    about: "why it crashed: cause, stack, fingerprint",
    options: {
      "sysroot DIR": "programs and libraries by their paths below DIR",
      "modules DIR": "programs and libraries by name or build id in DIR",
      json: "the whole summary as JSON",
    },
    text: "FILE is a dump or any ELF core of x86-64 or aarch64. No debugger is needed. Programs and libraries are\nread where the process had them, unless DIR is given; those of another build are not believed.\ndocs/reading-dumps.md tells what the lines mean.",
    exit: USUAL_EXIT,
  },
  extract: {
    usage: "extract FILE [ENTRY] [--output FILE] [--force]",
    about: "the core, or another entry, into a file",
    options: { "output FILE": "where to; - is stdout", force: "over an existing file" },
    text: "Streams; zeros take no room in the file.",
    exit: USUAL_EXIT,
  },
  fetch: {
    usage: "fetch KEY [--output FILE] [--force]",
    about: "a dump out of the store, resumable, verified",
    options: { "output FILE": "where to", force: "over an existing file" },
    text: "What was interrupted goes on where it was.",
    exit: USUAL_EXIT,
  },
  debug: {
    usage: "debug FILE [-- ARG…]",
    about: "gdb or lldb on the core",
    options: {},
    text: "Extracts into a temporary folder first. ARGs are the debugger's.",
    exit: { ...USUAL_EXIT, 0: "the debugger's own code where it ran" },
  },
};

/** The whole help, or one command's page. Throws AppError "usage" for a command that is none. */
export function helpFor(topic: string | undefined): string {
  if (topic === undefined) return HELP;
  const page = Object.hasOwn(HELP_PAGES, topic) ? HELP_PAGES[topic] : undefined;
  if (page === undefined)
    throw new AppError("usage", `there is no command ${JSON.stringify(topic)}`, {
      hint: "core-dump-handler --help lists the commands",
    });
  return formatPage(page);
}

function formatPage({ usage, about, options, text, exit }: HelpPage): string {
  const rows = Object.entries(options).map(([name, what]) => [`--${name}`, what] as const);
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  const lines = [
    `core-dump-handler ${usage}`,
    "",
    `  ${about}`,
    "",
    ...text.split("\n").map((line) => `  ${line}`),
    ...(rows.length === 0 ? [] : ["", "options"]),
    ...rows.map(([name, what]) => `  ${name.padEnd(width)}  ${what}`),
    "",
    "exit codes",
    ...Object.entries(exit).map(([code, means]) => `  ${code}  ${means}`),
  ];
  return `${lines.join("\n")}\n`;
}
