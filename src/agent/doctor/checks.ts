// Everything that must be right for a crash to reach the store, in the order in which it is used.
import type { Check } from "./check.ts";
import { checkCapture } from "./check-capture.ts";
import { checkCanary } from "./check-canary.ts";
import { checkExecutable } from "./check-executable.ts";
import { checkHarvest } from "./check-harvest.ts";
import { checkHostDir } from "./check-host-dir.ts";
import { checkPattern, checkPipeLimit, checkSysctlsWritable } from "./check-kernel.ts";
import { checkNotes } from "./check-notes.ts";
import { checkRoot } from "./check-root.ts";
import { checkRuntime } from "./check-runtime.ts";
import { checkSpace } from "./check-space.ts";
import { checkClock, checkStore } from "./check-store.ts";

/** All checks in their order. */
export const CHECKS: readonly Check[] = [
  { name: "root", run: checkRoot },
  { name: "kernel settings", run: checkSysctlsWritable },
  { name: "capture mode", run: checkCapture },
  { name: "core_pattern", run: checkPattern },
  { name: "core_pipe_limit", run: checkPipeLimit },
  { name: "core notes", run: checkNotes },
  { name: "HOST_DIR", run: checkHostDir },
  { name: "executable", run: checkExecutable },
  { name: "space", run: checkSpace },
  { name: "container runtime", run: checkRuntime },
  { name: "harvest", run: checkHarvest },
  { name: "store", run: checkStore },
  { name: "clock", run: checkClock },
  { name: "canary", run: checkCanary },
];
