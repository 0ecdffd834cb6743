// Which file becomes HOST_DIR/cdc, and which crictl: the image may carry several builds beside the agent.
import { dirname, join } from "node:path";
import { AppError } from "../model/app-error.ts";
import { exists } from "../host/files.ts";

/** The build for the host's libc, under the name that the build gives it; ours where it stands alone. */
export async function findComposer(executable: string, vendor: string): Promise<string> {
  const libc = vendor === "musl" ? "musl" : "gnu";
  const beside = join(dirname(executable), `core-dump-handler-linux-${process.arch}-${libc}`);
  return (await exists(beside)) ? beside : executable;
}

/** Throws AppError "configuration" when the image carries none. */
export async function findCrictl(executable: string): Promise<string> {
  const beside = join(dirname(executable), "crictl");
  if (await exists(beside)) return beside;
  throw new AppError("configuration", `DEPLOY_CRIO_EXE is true, and there is no ${beside}`, {
    hint: "this image carries no crictl: unset DEPLOY_CRIO_EXE, or use an image built with one",
  });
}
