// Whose crash counts as the doctor's: only that of the very file which root put into HOST_DIR.
import { expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isCanary, settingsForCanary } from "../../../src/composer/canary-crasher.ts";
import { readComposerSettings } from "../../../src/config/composer-settings.ts";
import { canaryNote, formatCanaryNote } from "../../../src/model/canary.ts";
import type { CrashContext } from "../../../src/model/crash-context.ts";
import { gatedTest } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const NAME = "cdh-0123456789a";
const needsRoot = process.getuid?.() === 0 ? undefined : "needs root";

function crashOf(exeName: string, hostPid: number | null = 7): CrashContext {
  return {
    hostPid,
    hostTid: null,
    pid: 7,
    signal: 11,
    timestampSeconds: 1,
    limitSize: "0",
    uid: 0,
    gid: 0,
    dumpable: 1,
    pidfd: null,
    hostname: "h",
    exeName,
    pathname: "",
  };
}

/** HOST_DIR with a canary, and a /proc in which process 7 runs `running`. */
async function withHost(
  body: (places: { hostDir: string; procDir: string; runs: (path: string) => void }) => void,
) {
  await withFolder(async (folder) => {
    const [hostDir, procDir] = [join(folder, "host"), join(folder, "proc")];
    mkdirSync(hostDir);
    mkdirSync(join(procDir, "7"), { recursive: true });
    writeFileSync(join(hostDir, NAME), "program", { mode: 0o700 });
    body({ hostDir, procDir, runs: (path) => symlinkSync(path, join(procDir, "7/exe")) });
  });
}

gatedTest("a process that runs HOST_DIR's canary is one", [needsRoot], async () => {
  await withHost(({ hostDir, procDir, runs }) => {
    runs(join(hostDir, NAME));
    expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(true);
    expect(isCanary(crashOf("bash"), hostDir, procDir)).toBe(false);
    expect(isCanary(crashOf(NAME, null), hostDir, procDir)).toBe(false);
  });
});

gatedTest("a process that only calls itself so is none", [needsRoot], async () => {
  await withHost(({ hostDir, procDir, runs }) => {
    const other = join(hostDir, "../other");
    copyFileSync(join(hostDir, NAME), other);
    runs(other);
    expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(false);
  });
});

gatedTest("nor is one whose file others than root may run", [needsRoot], async () => {
  await withHost(({ hostDir, procDir, runs }) => {
    runs(join(hostDir, NAME));
    chmodSync(join(hostDir, NAME), 0o755);
    expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(false);
  });
});

gatedTest("nor one behind a link, nor one that is gone", [needsRoot], async () => {
  await withHost(({ hostDir, procDir, runs }) => {
    linkSync(join(hostDir, NAME), join(hostDir, "real"));
    symlinkSync("real", join(hostDir, "cdh-aaaaaaaaaaa"));
    expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(false);
    runs(join(hostDir, "real"));
    expect(isCanary(crashOf("cdh-aaaaaaaaaaa"), hostDir, procDir)).toBe(false);
  });
});

/** HOST_DIR without execution: a link there to what runs elsewhere, and the note that names it. */
function placeElsewhere(hostDir: string, mode = 0o700): { path: string; note: string } {
  const path = join(hostDir, "../elsewhere");
  writeFileSync(path, "program", { mode });
  rmSync(join(hostDir, NAME));
  symlinkSync(path, join(hostDir, NAME));
  const { dev, ino } = statSync(path, { bigint: true });
  return { path, note: formatCanaryNote({ device: dev, inode: ino }) };
}

gatedTest("one that runs elsewhere is known by root's note of device and inode", [needsRoot], () =>
  withHost(({ hostDir, procDir, runs }) => {
    const { path, note } = placeElsewhere(hostDir);
    runs(path);
    expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(false);
    writeFileSync(join(hostDir, canaryNote(NAME)), note, { mode: 0o600 });
    expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(true);
  }),
);

gatedTest(
  "a note of another file, or one that is not root's alone, proves nothing",
  [needsRoot],
  () =>
    withHost(({ hostDir, procDir, runs }) => {
      const { path, note } = placeElsewhere(hostDir);
      runs(path);
      const noteFile = join(hostDir, canaryNote(NAME));
      writeFileSync(noteFile, `${note}7`, { mode: 0o600 });
      expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(false);
      writeFileSync(noteFile, note);
      expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(true);
      chmodSync(noteFile, 0o644);
      expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(false);
      rmSync(noteFile);
      writeFileSync(join(hostDir, "other"), note, { mode: 0o600 });
      symlinkSync("other", noteFile);
      expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(false);
    }),
);

gatedTest("nor does the right note for a program that others may run", [needsRoot], () =>
  withHost(({ hostDir, procDir, runs }) => {
    const { path, note } = placeElsewhere(hostDir, 0o755);
    runs(path);
    writeFileSync(join(hostDir, canaryNote(NAME)), note, { mode: 0o600 });
    expect(isCanary(crashOf(NAME), hostDir, procDir)).toBe(false);
  }),
);

test("the owner's rules and limits are not for it", () => {
  const { settings } = readComposerSettings({
    POD_SELECTOR_LABEL: "x",
    NAMESPACE_INCLUDE: "a",
    CORE_EVENTS: "true",
    LOG_LENGTH: "3",
  });
  expect(settingsForCanary(settings)).toMatchObject({
    POD_SELECTOR_LABEL: "",
    NAMESPACE_INCLUDE: "",
    CORE_EVENTS: false,
    LOG_LENGTH: 3,
  });
});
