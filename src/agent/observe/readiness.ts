// Whether the pod is ready, and whether that is known yet. The kubelet asks from before the install on.
import { DOCTOR_AT_WORK } from "../doctor/watch.ts";

const STARTING = "starting";

/** The pod's readiness. */
export class Readiness {
  private look: () => string | undefined = () => STARTING;

  /** Uses `look` from now on, which returns why the pod is not ready, or undefined. */
  follow(look: () => string | undefined): void {
    this.look = look;
  }

  /** Returns why the pod is not ready; undefined when it is. */
  reason(): string | undefined {
    return this.look();
  }

  /** Returns true until the first result, good or bad. */
  isStarting(): boolean {
    const reason = this.reason();
    return reason === STARTING || reason === DOCTOR_AT_WORK;
  }
}
