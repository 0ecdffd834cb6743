// Checks that a runtime answers CRI on its socket, as seen from here. The canary's dump-info has what the composer saw
// from the host.
import { stat } from "node:fs/promises";
import { GrpcConnection } from "../../host/grpc.ts";
import { describeError, errnoOf } from "../../model/app-error.ts";
import { candidateSockets, parseRuntimeEndpoint } from "../../model/runtime-socket.ts";
import {
  failed,
  failedBy,
  ok,
  skipped,
  warning,
  type CheckContext,
  type CheckResult,
} from "./check.ts";

const ANSWER_MS = 3_000;
const REMEDY =
  "start the runtime, set CRIO_ENDPOINT to its socket, or COMP_IGNORE_CRIO=true where there are no containers";

/** Checks the runtime's sockets. */
export async function checkRuntime(context: CheckContext): Promise<CheckResult> {
  const { composer, CRIO_ENDPOINT, POD_NAME } = context.settings;
  if (composer.IGNORE_CRIO)
    return skipped(
      "no runtime is asked (COMP_IGNORE_CRIO, or none is on this host): dumps carry no pod",
    );
  let named: string;
  try {
    named = parseRuntimeEndpoint(CRIO_ENDPOINT);
  } catch (error) {
    return failedBy(error, REMEDY);
  }
  const refusals: string[] = [];
  for (const path of candidateSockets(CRIO_ENDPOINT)) {
    const refusal = await ask(path, context.signal);
    if (refusal === undefined) return judgeAnswer(path, named, refusals);
    if (refusal !== "ENOENT") refusals.push(`${path}: ${refusal}`);
  }
  if (refusals.length > 0)
    return failed("no container runtime answers", REMEDY, refusals.join("; "));
  // A pod need not have the host's sockets mounted, because only the composer uses them.
  if (POD_NAME !== "") return skipped("no socket of a runtime is to be seen from this container");
  return failed("there is no container runtime's socket on this host", REMEDY);
}

function judgeAnswer(path: string, named: string, refusals: readonly string[]): CheckResult {
  if (named === "" || path === named || refusals.length === 0) return ok(`answers on ${path}`);
  return warning(`${named} does not answer, ${path} does`, `set CRIO_ENDPOINT to unix://${path}`);
}

/** Returns why CRI v1 does not work on this socket; undefined where it does. */
async function ask(path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const found = await stat(path);
    // A mounted socket that is gone from the node: the runtime makes an empty folder of it.
    if (found.isDirectory()) return "ENOENT";
    if (!found.isSocket()) return "not a socket";
  } catch (error) {
    return errnoOf(error) ?? describeError(error);
  }
  const connection = new GrpcConnection(
    path,
    AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  );
  try {
    // An empty VersionRequest is a valid one.
    await connection.call("runtime.v1.RuntimeService", "Version", new Uint8Array(0), () => true);
    return undefined;
  } catch (error) {
    return describeError(error);
  } finally {
    connection.close();
  }
}
