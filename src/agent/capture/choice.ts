// Chooses the capture mode (CAPTURE_MODE): the one that is set, or with auto the first that a canary proves. Tries a
// pipe first, because it is best isolated and most widely tested.
import { readFile } from "node:fs/promises";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { Log } from "../../host/log.ts";
import { AppError, describeError } from "../../model/app-error.ts";
import { CAPTURE_MODES, type CaptureMode } from "../../model/capture-mode.ts";
import { claimHostDirectory } from "../install/host-owner.ts";
import { install } from "../install/install.ts";
import {
  readInstallRecord,
  writeInstallRecord,
  type CaptureNote,
  type InstallRecord,
} from "../install/install-record.ts";
import { installPipe } from "./pipe-variant.ts";
import type { ListenerControl } from "../install/listener-control.ts";
import { findObstacle } from "./obstacle.ts";
import { tryCanary, type Canary, type Trial } from "../canary/trial.ts";
import { withdrawPattern } from "./withdrawal.ts";

/** What the choice needs. */
export interface ChoiceContext {
  settings: AgentSettings;
  /** This program's executable. */
  executable: string;
  listener?: ListenerControl;
  /** Runs a canary; tests replace it. */
  canary?: Canary;
  obstacleOf?: typeof findObstacle;
  log: Log;
}

type Choice = Pick<CaptureNote, "mode" | "because" | "tried" | "proven">;

/** Installs one mode and returns it. Throws AppError where none can be installed; nothing is half done then. */
export async function installCapture(context: ChoiceContext): Promise<CaptureMode> {
  const { settings, log } = context;
  const release = await claimHostDirectory(settings, log);
  try {
    return await noteChoice(context, await choose(context));
  } catch (error) {
    await release();
    throw error;
  }
}

/** Installs this mode again after its files vanished from the host. Throws as installCapture() does. */
export async function reinstallCapture(context: ChoiceContext, mode: CaptureMode): Promise<void> {
  await installCapture({ ...context, settings: { ...context.settings, CAPTURE_MODE: mode } });
}

async function noteChoice({ settings, log }: ChoiceContext, choice: Choice): Promise<CaptureMode> {
  const { mode, because, tried, proven } = choice;
  const record = await readInstallRecord(settings.HOST_DIR, log);
  if (record !== undefined)
    await writeInstallRecord(settings.HOST_DIR, {
      ...record,
      capture: { ...choice, boot: await readBootId() },
    });
  const fields = { mode, because, tried };
  if (settings.CAPTURE_MODE === "auto" && settings.DOCTOR && !proven)
    log.error("capture_mode", fields);
  else log.info("capture_mode", fields);
  return mode;
}

async function choose(context: ChoiceContext): Promise<Choice> {
  const { settings, obstacleOf = findObstacle, log } = context;
  const { CAPTURE_MODE, DOCTOR, HOST_DIR } = settings;
  if (CAPTURE_MODE === "auto" && DOCTOR)
    return chooseByCanary(context, await readInstallRecord(HOST_DIR, log));
  const mode = CAPTURE_MODE === "auto" ? "pipe" : CAPTURE_MODE;
  const because =
    CAPTURE_MODE === "auto" ? "DOCTOR is false: nothing is tried" : `CAPTURE_MODE is ${mode}`;
  const obstacle = await obstacleOf(mode, settings);
  if (obstacle !== undefined) throw new AppError("host", `${because}, and ${obstacle}`);
  if (mode !== "pipe") {
    await install({ ...context, mode });
    return { mode, because, tried: "", proven: false };
  }
  const { outcome } = await installPipe(context, false);
  return { mode, because, tried: "", proven: outcome === "proven" };
}

async function chooseByCanary(
  context: ChoiceContext,
  before: InstallRecord | undefined,
): Promise<Choice> {
  const { settings } = context;
  const earlier = await findEarlier(before);
  const refused: { mode: CaptureMode; because: string; error?: unknown }[] = [];
  for (const mode of inOrder(earlier?.mode)) {
    if (refused.some(({ error }) => error === undefined)) await withdrawPattern(settings);
    try {
      const trial = await tryMode(context, mode);
      if (trial.outcome === "proven") {
        const tried = mode === earlier?.mode ? earlier.tried : describe(refused);
        return { mode, because: trial.because, tried, proven: true };
      }
      refused.push({ mode, because: trial.because });
    } catch (error) {
      // Reports wrong settings instead of trying another mode.
      if (error instanceof AppError && error.code === "configuration") throw error;
      refused.push({ mode, because: describeError(error), error });
    }
  }
  return keepFirst(context, refused);
}

async function tryMode(context: ChoiceContext, mode: CaptureMode): Promise<Trial> {
  const { settings, canary = tryCanary, obstacleOf = findObstacle } = context;
  const obstacle = await obstacleOf(mode, settings);
  if (obstacle !== undefined) throw new AppError("host", obstacle);
  if (mode === "pipe") return installPipe(context, true);
  await install({ ...context, mode });
  return canary(settings, mode);
}

/** Keeps the first mode that could be installed, where no mode was proven; the doctor reports what is wrong. */
async function keepFirst(
  context: ChoiceContext,
  refused: readonly { mode: CaptureMode; because: string; error?: unknown }[],
): Promise<Choice> {
  const kept = refused.find(({ error }) => error === undefined);
  if (kept === undefined)
    throw new AppError("host", `no way of taking cores works here: ${describe(refused)}`);
  await install({ ...context, mode: kept.mode });
  return {
    mode: kept.mode,
    because: "no canary's core came in any mode: the first that could be installed stays",
    tried: describe(refused),
    proven: false,
  };
}

function describe(refused: readonly { mode: CaptureMode; because: string }[]): string {
  return refused.map(({ mode, because }) => `${mode}: ${because}`).join("; ");
}

/**
 * Returns the mode that worked earlier in this boot, which is tried first, because another trial of a pipe would lose
 * crashes.
 */
async function findEarlier(record: InstallRecord | undefined): Promise<CaptureNote | undefined> {
  const capture = record?.capture;
  if (capture?.proven !== true) return undefined;
  return capture.boot === (await readBootId()) ? capture : undefined;
}

function inOrder(first: CaptureMode | undefined): CaptureMode[] {
  return CAPTURE_MODES.toSorted((a, b) => Number(b === first) - Number(a === first));
}

/** Reads the boot id, which is new at every boot (random(4)). */
async function readBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}
