// Opens the runtime by CRI_CLIENT: native, crictl, or auto (native, then crictl). Loads either only when it is needed.
// Where the owner has rules, a crash of unknown origin is left out, so a runtime that is just restarting is tried
// until the time is over.
import type { ComposerSettings } from "../../config/composer-settings.ts";
import type { Runtime } from "./runtime.ts";
import { hasRules, rulesOf } from "./rules.ts";
import type { Steps } from "./steps.ts";

const PAUSE_MS = 200;

/** Opens the runtime; null when none answers, and the reason is recorded. Never throws. */
export async function openRuntime(
  settings: ComposerSettings,
  hostDir: string,
  steps: Steps,
): Promise<Runtime | null> {
  const mayAskCrictl = settings.CRI_CLIENT !== "native";
  const record = (label: string, why: string) => steps.record(label, why);
  const native = async () => {
    const { openNativeRuntime } = await import("./native-runtime.ts");
    const { deadlineMs, signal, complaints } = steps;
    const open = () =>
      openNativeRuntime(settings.CRIO_ENDPOINT, { deadlineMs, signal, complaints, record });
    if (!hasRules(rulesOf(settings))) return open();
    const leftMs = deadlineMs - Date.now();
    return untilOpened(open, Date.now() + (mayAskCrictl ? leftMs / 2 : leftMs));
  };
  const crictl = async () => {
    const { openCrictlRuntime } = await import("./crictl-runtime.ts");
    return openCrictlRuntime({
      hostDir,
      useConfig: settings.USE_CRIO_CONF,
      imageCommand: settings.CRIO_IMAGE_CMD,
      signal: steps.signal,
      record,
    });
  };
  const viaNative =
    settings.CRI_CLIENT === "crictl" ? null : await steps.step("container runtime", native, null);
  if (viaNative !== null || !mayAskCrictl) return viaNative;
  return steps.step("crictl", crictl, null);
}

/** Repeats `open` until it succeeds or the time is over. Throws what the last attempt threw. */
async function untilOpened(open: () => Promise<Runtime>, untilMs: number): Promise<Runtime> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (Date.now() + PAUSE_MS >= untilMs) throw error;
      await Bun.sleep(PAUSE_MS);
    }
  }
}
