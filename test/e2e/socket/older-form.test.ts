// A kernel that knows the socket and not the question before it (Linux 6.16) refuses `@@` as ours refuses `@@@`.
import { expect } from "bun:test";
import { join } from "node:path";
import { installSysctls, readSysctls } from "../../../src/agent/install/install-sysctls.ts";
import { Rollback } from "../../../src/agent/install/rollback.ts";
import { CORE_PATTERN } from "../../../src/model/sysctls.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { gatedTest, socketObstacle } from "../../support/gate.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { withFolder } from "../../support/temporary-folder.ts";

gatedTest("a form that the kernel refuses gives way to the older one", [socketObstacle()], () =>
  withFolder((hostDir) =>
    withKernel({ corePattern: "core" }, async () => {
      const older = `@${join(hostDir, "cdc.sock")}`;
      const wanted = [{ sysctl: CORE_PATTERN, value: `@@${older}`, instead: older }];
      const [rollback, log] = [new Rollback(), recordedLog()];
      const found = await readSysctls("/proc", wanted);
      const context = { hostDir, procRoot: "/proc", wanted, found, rollback, log };
      expect(await installSysctls(context)).toEqual({ [CORE_PATTERN.name]: older });
      expect(readKernel().corePattern).toBe(older);
      await rollback.run(log);
      expect(readKernel().corePattern).toBe("core");
    }),
  ),
);
