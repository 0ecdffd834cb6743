// What the steps of one dump share.
import type { ComposerLog } from "../host/composer-log.ts";
import type { AttemptLog } from "./attempt.ts";
import type { CoreInput } from "./core-input.ts";
import type { CrashSource } from "./crash-source.ts";
import type { Deadline } from "./deadline.ts";
import type { Environment } from "./environment.ts";
import type { KnownBugLimit } from "./known-bug-limit.ts";
import type { MetadataTask } from "./metadata-task.ts";
import type { ModuleKeeping } from "./modules/module-keeping.ts";
import type { PreviousHandler } from "./previous-handler.ts";
import type { Release } from "./release.ts";
import type { Explaining } from "./summary/explaining.ts";

/** One crash that the composer handles, with everything that its steps use. */
export interface Job {
  uuid: string;
  source: CrashSource;
  /** True for the doctor's crash, whose zip goes where no sweep looks. */
  canary: boolean;
  core: CoreInput;
  release: Release;
  /** The previous handler, where it gets a copy of the core. */
  chain: PreviousHandler | undefined;
  deadline: Deadline;
  environment: Environment;
  log: ComposerLog;
  attempts: AttemptLog;
  metadata: MetadataTask;
  /** Finds out why it crashed; undefined where nobody asks for that. */
  explaining: Explaining | undefined;
  /** Keeps the mapped files for debuggers; undefined where nobody asks for that. */
  modules: ModuleKeeping | undefined;
  /** Leaves out the cores of known bugs; undefined where all are kept. */
  knownBugs: KnownBugLimit | undefined;
}
