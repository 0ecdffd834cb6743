// What the steps of one dump share.
import type { ComposerLog } from "../host/composer-log.ts";
import type { AttemptLog } from "./attempt.ts";
import type { CoreInput } from "./core-input.ts";
import type { CrashSource } from "./crash-source.ts";
import type { Deadline } from "./deadline.ts";
import type { Environment } from "./environment.ts";
import type { MetadataTask } from "./metadata-task.ts";
import type { PreviousHandler } from "./previous-handler.ts";
import type { Release } from "./release.ts";

export interface Job {
  uuid: string;
  source: CrashSource;
  /** It is the doctor's crash: its zip goes where no sweep looks. */
  canary: boolean;
  core: CoreInput;
  release: Release;
  /** Who took cores on this host before us, where it gets a copy. */
  chain: PreviousHandler | undefined;
  deadline: Deadline;
  environment: Environment;
  log: ComposerLog;
  attempts: AttemptLog;
  metadata: MetadataTask;
}
