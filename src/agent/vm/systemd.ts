// Runs systemctl on hosts that systemd runs (sd_booted(3)).
import { exists } from "../../host/files.ts";
import { runProgram } from "../../host/run-program.ts";
import { AppError } from "../../model/app-error.ts";

const START_MS = 90_000;

/** The few actions that the agent needs. */
export interface Systemd {
  enableNow(units: readonly string[]): Promise<void>;
  /** Stops and disables units; a missing unit is no error. */
  disableNow(units: readonly string[]): Promise<void>;
  reload(): Promise<void>;
}

/** Returns whether systemd runs this host. */
export async function isSystemdHost(): Promise<boolean> {
  return exists("/run/systemd/system");
}

/** The real systemctl. */
export const SYSTEMD: Systemd = {
  enableNow: async (units) => systemctl(["enable", "--now", ...units]),
  disableNow: async (units) => {
    for (const unit of units)
      await runProgram(["systemctl", "disable", "--now", unit], { timeoutMs: START_MS });
  },
  reload: async () => systemctl(["daemon-reload"]),
};

async function systemctl(args: readonly string[]): Promise<void> {
  const end = await runProgram(["systemctl", ...args], { timeoutMs: START_MS });
  if (end.exitCode === 0) return;
  throw new AppError("host", `systemctl ${args.join(" ")}: ${end.reason}: ${end.output.trim()}`, {
    hint: "journalctl -u core-dump-handler tells more",
  });
}
