// The commands that this program's own processes and shells start: the composer, the listener, completion.
import { AppError } from "../model/app-error.ts";
import { defineCommand, USUAL_EXIT } from "./command.ts";
import { isShell, SHELLS } from "./shell.ts";

/** The rows of these commands. */
export const ROLE_COMMANDS = {
  composer: defineCommand({
    group: "roles",
    usage: "composer …",
    about: "handle one crash (the kernel does this)",
    text: "core-dump-handler composer --help tells its flags, which are not those of the other commands: -h is the\ncrashed process's host name.",
    exit: { ...USUAL_EXIT, 32: "the deadline passed, the zip is whole" },
    options: {},
    raw: true,
    operands: { most: Number.POSITIVE_INFINITY },
    prepare:
      ({ operands }) =>
      async () => {
        const { runComposerCommand } = await import("../composer/run-command.ts");
        return runComposerCommand(operands);
      },
  }),
  "make-room": defineCommand({
    group: "roles",
    usage: "make-room …",
    about: "evict dumps from a full CORE_DIR of thousands (the composer does)",
    text: "Its arguments are the composer's own, and may change with any version.",
    exit: USUAL_EXIT,
    options: {},
    raw: true,
    operands: { most: Number.POSITIVE_INFINITY },
    prepare:
      ({ operands }) =>
      async () => {
        const { runRoomMaker } = await import("../composer/room.ts");
        process.stdout.write(await runRoomMaker(operands));
        return 0;
      },
  }),
  "explain-crash": defineCommand({
    group: "roles",
    usage: "explain-crash …",
    about: "summarise what a composer copied of a crash (the composer does)",
    text: "It gives up all rights before it looks at anything. Its arguments may change with any version.",
    exit: USUAL_EXIT,
    options: {},
    raw: true,
    operands: { most: Number.POSITIVE_INFINITY },
    prepare:
      ({ operands }) =>
      async () => {
        const { runExplainer } = await import("../explainer/run.ts");
        return runExplainer(operands);
      },
  }),
  "keep-modules": defineCommand({
    group: "roles",
    usage: "keep-modules …",
    about: "keep what a crash had mapped (the composer does)",
    text: "It reads the descriptors that the composer leaves it. Its arguments may change with any version.",
    exit: USUAL_EXIT,
    options: {},
    raw: true,
    operands: { most: Number.POSITIVE_INFINITY },
    prepare:
      ({ operands }) =>
      async () => {
        const { runKeepModules } = await import("../composer/modules/keep-modules.ts");
        return runKeepModules(operands);
      },
  }),
  listen: defineCommand({
    group: "roles",
    usage: "listen",
    about: "take cores on the kernel's coredump socket (CAPTURE_MODE socket)",
    text: "Listens at HOST_DIR/cdc.sock and starts a composer for every core. On a plain host the agent starts it; in\na pod it is a container of its own. SIGTERM: core_pattern goes back, what is under way is finished.",
    exit: USUAL_EXIT,
    options: { worker: { type: "string" } },
    operands: { most: 0 },
    prepare: ({ options: { worker }, realEnvironment }) => {
      if (worker !== undefined && !/^\d{1,20}$/.test(worker))
        throw new AppError("usage", `listen --worker is ${JSON.stringify(worker)}, no inode`);
      return async () => {
        const { readHostSettings } = await import("../config/agent-settings.ts");
        const { runListener } = await import("../listener/run.ts");
        const inode = worker === undefined ? undefined : Number(worker);
        return runListener(inode, readHostSettings(realEnvironment));
      };
    },
  }),
  man: defineCommand({
    group: "roles",
    usage: "man",
    about: "this program's manual page, for man(1)",
    text: "core-dump-handler man | man -l -\ncore-dump-handler man > /usr/local/share/man/man1/core-dump-handler.1",
    exit: USUAL_EXIT,
    options: {},
    operands: { most: 0 },
    prepare:
      ({ commands }) =>
      async () => {
        const { formatManual } = await import("./manual.ts");
        process.stdout.write(formatManual(commands));
        return 0;
      },
  }),
  completion: defineCommand({
    group: "roles",
    usage: "completion bash|zsh|fish",
    about: "what a shell needs to complete our commands",
    text: "source <(core-dump-handler completion bash), likewise zsh;\ncore-dump-handler completion fish | source",
    exit: USUAL_EXIT,
    options: {},
    operands: { most: 1 },
    prepare: ({ operands: [shell], commands }) => {
      if (shell === undefined || !isShell(shell))
        throw new AppError("usage", `completion needs a shell: ${SHELLS.join(", ")}`);
      return async () => {
        const { completionFor } = await import("./completion.ts");
        process.stdout.write(completionFor(shell, commands));
        return 0;
      };
    },
  }),
};
