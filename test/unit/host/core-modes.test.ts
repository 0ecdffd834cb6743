import { expect, test } from "bun:test";
import { readCoreModes } from "../../../src/host/core-modes.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("where PROC_ROOT has no core_modes, the kernel's own is read", async () => {
  await withFolder(async (folder) =>
    expect(await readCoreModes(folder)).toEqual(await readCoreModes("/proc")),
  );
});
