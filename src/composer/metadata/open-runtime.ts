// Which side of the container runtime is asked: CRI_CLIENT native, crictl, or auto (native, then crictl).
// Either side is loaded only when it is needed.
import type { ComposerSettings } from "../../config/composer-settings.ts";
import type { Runtime } from "./runtime.ts";
import type { Steps } from "./steps.ts";

/** Null when none can be had; why is recorded. */
export async function openRuntime(
  settings: ComposerSettings,
  hostDir: string,
  steps: Steps,
): Promise<Runtime | null> {
  const native = async () => {
    const { openNativeRuntime } = await import("./native-runtime.ts");
    return openNativeRuntime(settings.CRIO_ENDPOINT, steps);
  };
  const crictl = async () => {
    const { openCrictlRuntime } = await import("./crictl-runtime.ts");
    return openCrictlRuntime({
      hostDir,
      useConfig: settings.USE_CRIO_CONF,
      imageCommand: settings.CRIO_IMAGE_CMD,
      signal: steps.signal,
    });
  };
  const viaNative =
    settings.CRI_CLIENT === "crictl" ? null : await steps.step("container runtime", native, null);
  if (viaNative !== null || settings.CRI_CLIENT === "native") return viaNative;
  return steps.step("crictl", crictl, null);
}
