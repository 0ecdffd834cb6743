// `install` on a plain host: what it writes, what it tells systemd, and what it refuses before it writes.
import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { installOnVm } from "../../../../src/agent/vm/install-service.ts";
import type { AgentSettings } from "../../../../src/config/agent-settings.ts";
import { isVmInstalled, removeFromVm, stopOnVm } from "../../../../src/agent/vm/remove-service.ts";
import type { ServicePlaces } from "../../../../src/agent/vm/places.ts";
import type { Systemd } from "../../../../src/agent/vm/systemd.ts";
import { failureOf } from "../../../support/failure.ts";
import { ORIGINAL_PATTERN, makeHostTree, type HostTree } from "../../../support/host-tree.ts";

function recordedSystemd(): Systemd & { said: string[] } {
  const said: string[] = [];
  const note =
    (what: string) =>
    async (units: readonly string[] = []) => {
      said.push([what, ...units].join(" "));
    };
  return { said, reload: note("reload"), enableNow: note("enable"), disableNow: note("disable") };
}

async function withHost(
  config: string,
  body: (
    host: HostTree,
    install: () => Promise<string>,
    systemd: { said: string[] },
    places: ServicePlaces,
  ) => Promise<void>,
) {
  const host = makeHostTree();
  try {
    const places = {
      programDir: join(host.root, "opt"),
      unitDir: join(host.root, "app"),
      commandDir: join(host.root, "app/bin"),
    };
    const configPath = join(host.root, "config");
    writeFileSync(configPath, config.replaceAll("@", host.root));
    mkdirSync(join(host.root, "store"));
    mkdirSync(places.commandDir);
    const systemd = recordedSystemd();
    const { executable, log } = host;
    const apply = async (settings: AgentSettings, program: string) => {
      systemd.said.push(`apply ${settings.HOST_DIR} by ${program}`);
      return "pipe" as const;
    };
    const install = () => installOnVm({ configPath, executable, places, systemd, apply, log });
    await body(host, install, systemd, places);
    await stopOnVm(systemd);
    await removeFromVm(places, systemd, log);
    expect(await isVmInstalled(places)).toBe(false);
    expect(existsSync(places.programDir)).toBe(false);
  } finally {
    host.remove();
  }
}

const CONFIG =
  "HOST_DIR=@/host/cdh\nPROC_ROOT=@/proc\nUSE_INOTIFY=true\nSTORE_URL=file://@/store\n";

test("program, configuration and units are there before systemd starts them; a second run is the same", async () => {
  await withHost(CONFIG, async (host, install, systemd, { programDir, unitDir }) => {
    await install();
    const units = ["core-dump-handler-early.service", "core-dump-handler.service"];
    const applied = `apply ${host.hostDir} by ${programDir}/core-dump-handler`;
    expect(systemd.said).toEqual([applied, "reload", `enable ${units.join(" ")}`]);
    for (const unit of units)
      expect(readFileSync(join(unitDir, unit), "utf8")).toContain(
        `${programDir}/core-dump-handler `,
      );
    expect(statSync(join(programDir, ".env")).mode & 0o777).toBe(0o600);
    expect(statSync(join(programDir, "core-dump-handler")).mode & 0o777).toBe(0o755);
    const before = host.snapshot();
    await install();
    expect(host.snapshot()).toEqual(before);
  });
});

test("the program is on everybody's PATH; another file of its name there is left alone", async () => {
  await withHost(CONFIG, async (_host, install, _systemd, { programDir, commandDir }) => {
    const link = join(commandDir, "core-dump-handler");
    expect(await install()).toBe("core-dump-handler");
    expect(readlinkSync(link)).toBe(join(programDir, "core-dump-handler"));
    rmSync(link);
    writeFileSync(link, "another program");
    expect(await install()).toBe(join(programDir, "core-dump-handler"));
    expect(readFileSync(link, "utf8")).toBe("another program");
  });
});

test("the handler that was there before is named", async () => {
  await withHost(CONFIG, async (host, install) => {
    await install();
    expect(host.logLines()).toContainEqual(
      expect.objectContaining({
        event: "previous_handler_found",
        name: "systemd-coredump",
        pattern: ORIGINAL_PATTERN,
      }),
    );
  });
});

test("wrong settings are told before anything is written", async () => {
  await withHost(`${CONFIG}INTERVAL=soon\n`, async (host, install, systemd, { programDir }) => {
    expect(await failureOf(install())).toContain('INTERVAL is "soon"');
    expect(existsSync(programDir)).toBe(false);
    expect(systemd.said).toEqual([]);
    expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  });
});

test.each([
  [
    "a misspelt store",
    "STORE_ULR=file:///x\n",
    "there is no variable STORE_ULR; did you mean STORE_URL?",
  ],
  ["a misspelt folder", "HOST_DRI=/x\n", "there is no variable HOST_DRI; did you mean HOST_DIR?"],
  ["an unknown variable", "COMP_FROBNICATE=1\n", "there is no variable COMP_FROBNICATE"],
  ["no store", "STORE_URL=\n", "no store is named: set S3_BUCKET_NAME and S3_REGION, or STORE_URL"],
  ["a store that is not there", "STORE_URL=file://@/absent\n", "the store: "],
  [
    "nothing that delivers",
    "USE_INOTIFY=false\n",
    "nothing would be delivered: set USE_INOTIFY=true",
  ],
])("%s is refused before anything is written", async (_what, line, message) => {
  await withHost(CONFIG + line, async (host, install, systemd, { programDir }) => {
    expect(await failureOf(install())).toContain(message);
    expect(existsSync(programDir)).toBe(false);
    expect(systemd.said).toEqual([]);
    expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  });
});

test("HOST_DIR cannot be where the program is", async () => {
  await withHost(CONFIG.replace("@/host/cdh", "@/opt"), async (_host, install) => {
    expect(await failureOf(install())).toContain("HOST_DIR must not be");
  });
});

test("a configuration that is not there is refused by name", async () => {
  const host = makeHostTree();
  const places = {
    programDir: join(host.root, "opt"),
    unitDir: join(host.root, "app"),
    commandDir: join(host.root, "app/bin"),
  };
  const { executable, log } = host;
  const install = installOnVm({
    configPath: "/no/such",
    executable,
    places,
    systemd: undefined,
    apply: async () => "pipe",
    log,
  });
  expect(await failureOf(install)).toContain("there is no /no/such");
  host.remove();
});
