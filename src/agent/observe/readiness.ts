// Is the pod ready, and does anybody know yet? Asked by the kubelet from before the install on.
import { DOCTOR_AT_WORK } from "../doctor/watch.ts";

const STARTING = "starting";

export class Readiness {
  #look: () => string | undefined = () => STARTING;

  /** From now on `look` says why the pod is not ready, or undefined. */
  follow(look: () => string | undefined): void {
    this.#look = look;
  }

  /** Why the pod is not ready; undefined when it is. */
  reason(): string | undefined {
    return this.#look();
  }

  /** True until the first word, good or bad. */
  isStarting(): boolean {
    const reason = this.reason();
    return reason === STARTING || reason === DOCTOR_AT_WORK;
  }
}
