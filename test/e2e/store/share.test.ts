// Shares that are really mounted (tmpfs): one that is full, and one that is unmounted in the middle of a copy.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "bun:test";
import { openDelivery, type DeliveryOutcome } from "../../../src/agent/delivery/delivery.ts";
import { failureOf } from "../../../src/store/store-error.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { atEnd } from "../../support/at-end.ts";
import { gatedTest } from "../../support/gate.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { storeSettings } from "../../support/store-settings.ts";

const never = new AbortController().signal;
const OBSTACLES = [process.getuid?.() === 0 ? undefined : "needs root"];

function mounted(sizeMib: number): { share: string; unmount: () => void } {
  const share = join(temporaryFolder(), "mnt");
  mkdirSync(share);
  mount(share, sizeMib);
  const unmount = () => void Bun.spawnSync(["umount", "-l", share]);
  atEnd(unmount);
  return { share, unmount };
}

function mount(share: string, sizeMib: number): void {
  const command = ["mount", "-t", "tmpfs", "-o", `size=${sizeMib}m`, "cdh-test", share];
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}

function failureIn(outcome: DeliveryOutcome): unknown {
  return outcome.kind === "failed" ? failureOf(outcome.error) : outcome.kind;
}

gatedTest(
  "a dump crosses devices, and a share that is full keeps nothing of it",
  OBSTACLES,
  async () => {
    const { share, unmount } = mounted(8);
    const folder = temporaryFolder();
    const delivery = openDelivery(
      storeSettings({ STORE_URL: pathToFileURL(share).href }),
      recordedLog(),
    );
    const small = writeDump(folder, "small.zip", { coreBytes: 1_000_000 });
    const sha256 = await sha256Of(small);
    expect((await delivery.deliver(small, never)).kind).toBe("delivered");
    const large = writeDump(folder, "large.zip", { coreBytes: 20_000_000 });
    expect(failureIn(await delivery.deliver(large, never))).toBe("no_space");
    expect(readdirSync(share)).toEqual(["small.zip"]);
    expect(await sha256Of(join(share, "small.zip"))).toBe(sha256);
    expect(existsSync(large)).toBe(true);
    unmount();
  },
);

gatedTest(
  "a share that is unmounted in the middle of a copy gets the dump when it is back",
  OBSTACLES,
  async () => {
    const { share, unmount } = mounted(300);
    const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 200_000_000 });
    const sha256 = await sha256Of(path);
    const delivery = openDelivery(
      storeSettings({ STORE_URL: pathToFileURL(share).href }),
      recordedLog(),
    );
    const copying = delivery.deliver(path, never);
    while (readdirSync(share).length === 0) await Bun.sleep(1);
    unmount();
    expect(failureIn(await copying)).toBe("away");
    // What lies under the mount point is the node's own disk: nothing goes there, now or later.
    const again = await delivery.deliver(path, never, { ignoreBackoff: true });
    expect(failureIn(again)).toBe("away");
    expect(readdirSync(share)).toEqual([]);
    expect(existsSync(path)).toBe(true);

    mount(share, 300);
    expect(await delivery.deliver(path, never, { ignoreBackoff: true })).toMatchObject({
      kind: "delivered",
      key: "T.zip",
    });
    expect(readdirSync(share)).toEqual(["T.zip"]);
    expect(await sha256Of(join(share, "T.zip"))).toBe(sha256);
    unmount();
  },
);
