// The commands that install on a host, deliver from it, prove it and restore it.
import { AppError } from "../model/app-error.ts";
import { defineCommand, USUAL_EXIT } from "./command.ts";

/** The rows of these commands. */
export const HOST_COMMANDS = {
  agent: defineCommand({
    group: "host",
    usage: "[agent]",
    about: "install on this host, then deliver dumps until told to stop",
    text: "What it installed stays when it ends, so that no crash is missed; remove takes it back. CAPTURE_MODE\nsays how cores come (docs/platforms.md); auto finds out by a crash of our own. Settings come\nfrom the environment, then from .env beside the executable (docs/operations.md).",
    exit: { ...USUAL_EXIT, 0: "told to stop (SIGTERM, SIGINT), and stopped" },
    options: {},
    operands: { most: 0 },
    prepare:
      ({ loadEnvironment }) =>
      async () => {
        const { runAgentHere } = await import("../agent/run.ts");
        return runAgentHere(await loadEnvironment());
      },
  }),
  sweep: defineCommand({
    group: "host",
    usage: "sweep [FILE]",
    about: "deliver every finished dump now, or just FILE",
    text: "Safe beside a running agent. FILE may be any word that names one dump of this host.",
    exit: { ...USUAL_EXIT, 1: "a dump is left" },
    options: {},
    operands: { most: 1, are: "dumps" },
    prepare:
      ({ operands: [word], loadInstalled }) =>
      async () => {
        const { runSweep } = await import("../agent/run.ts");
        const environment = await loadInstalled();
        // A path may be of a dump that was delivered a moment ago, which is no mistake.
        if (word === undefined || word.includes("/")) return runSweep(word, environment);
        const { pathOfDump } = await import("../reading/find-dump.ts");
        const request = { word, loadEnvironment: async () => environment };
        return runSweep(await pathOfDump(request), environment);
      },
  }),
  doctor: defineCommand({
    group: "host",
    usage: "doctor [--json]",
    about: "check a crash's whole way, and prove it by a crash of our own",
    text: "Progress on stderr, the findings on stdout: for each failure the broken link, what shows it, and the\nremedy. The crash's dump is never delivered. NO_COLOR turns colours off.",
    exit: { 0: "nothing failed; warnings may stand", 1: "a check failed", 2: USUAL_EXIT[2] },
    options: { json: { type: "boolean", about: "the findings as JSON on stdout" } },
    operands: { most: 0 },
    prepare:
      ({ options, loadInstalled }) =>
      async () => {
        const { runDoctorHere } = await import("../agent/run.ts");
        return runDoctorHere(options.json === true, await loadInstalled());
      },
  }),
  install: defineCommand({
    group: "host",
    usage: "install --config FILE",
    about: "set a plain host up: program, systemd units, kernel",
    text: "Copies this executable and FILE (as .env) to /opt/core-dump-handler, writes two systemd units and\nstarts them. Run it again after a change. docs/vm.md tells more.",
    exit: USUAL_EXIT,
    options: {
      config: {
        type: "string",
        short: "c",
        value: "FILE",
        about: "the agent's settings, KEY=value lines",
      },
    },
    operands: { most: 0 },
    prepare: ({ options: { config } }) => {
      if (config === undefined) throw new AppError("usage", "install needs --config FILE");
      return async () => {
        const { runInstall } = await import("../agent/run.ts");
        return runInstall(config);
      };
    },
  }),
  apply: defineCommand({
    group: "host",
    usage: "apply",
    about: "put composer and kernel settings in place, and end",
    text: "For the start of a machine: core_pattern is lost at every boot.",
    exit: USUAL_EXIT,
    options: {},
    operands: { most: 0 },
    prepare:
      ({ loadEnvironment }) =>
      async () => {
        const { runApply } = await import("../agent/run.ts");
        return runApply(await loadEnvironment());
      },
  }),
  remove: defineCommand({
    group: "host",
    usage: "remove [--when-uninstalled | --behind-uninstall [--stay]]",
    about: "restore the kernel's settings, delete what was installed",
    text: "Dumps that were not delivered stay. On a plain host units and program go too. Safe to run again.",
    exit: USUAL_EXIT,
    options: {
      "when-uninstalled": {
        type: "boolean",
        about: "only if the DaemonSet itself is going (a preStop hook)",
      },
      "behind-uninstall": {
        type: "boolean",
        about: "wait until it is known whether the DaemonSet is gone (the chart's clean-up)",
      },
      stay: { type: "boolean", about: "behind that, wait for SIGTERM" },
    },
    operands: { most: 0 },
    prepare: ({ options, loadInstalled }) => {
      const uninstalled = options["when-uninstalled"] === true;
      const behind = options["behind-uninstall"] === true;
      if (uninstalled && behind)
        throw new AppError(
          "usage",
          "--when-uninstalled and --behind-uninstall exclude one another",
        );
      const when = behind ? "behind" : uninstalled ? "uninstalled" : "now";
      return async () => {
        const { runRemove } = await import("../agent/run.ts");
        return runRemove({ when, stay: options.stay === true }, await loadInstalled());
      };
    },
  }),
  "await-removal": defineCommand({
    group: "host",
    usage: "await-removal DAEMONSET [--within SECONDS]",
    about: "wait until the chart's clean-up is done on every node",
    text: "What the chart's Job does behind helm uninstall, in its own namespace.",
    exit: { ...USUAL_EXIT, 1: "a node was not cleaned in that time" },
    options: {
      within: { type: "string", value: "SECONDS", about: "how long; 120 where it is not set" },
    },
    operands: { most: 1, needs: ["the name of a DaemonSet"] },
    prepare: ({ operands: [daemonSet = ""], options: { within = "120" }, loadEnvironment }) => {
      if (!/^\d{1,5}$/.test(within))
        throw new AppError("usage", `--within ${JSON.stringify(within)} is no number of seconds`);
      return async () => {
        const { runAwaitRemoval } = await import("../agent/run.ts");
        const withinMs = Number(within) * 1000;
        return runAwaitRemoval({ daemonSet, withinMs }, await loadEnvironment());
      };
    },
  }),
  "crash-test": defineCommand({
    group: "host",
    usage: "crash-test",
    about: "crash a child and wait until its dump was delivered",
    text: "What helm test does. Unlike the doctor's, this dump goes to the store and stays; the last line names it.",
    exit: USUAL_EXIT,
    options: { victim: { type: "boolean" } },
    operands: { most: 0 },
    prepare:
      ({ options, loadInstalled }) =>
      async () => {
        const { runCrashTestHere } = await import("../agent/run.ts");
        return runCrashTestHere(options.victim === true, await loadInstalled());
      },
  }),
};
