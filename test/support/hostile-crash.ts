// A crash of which every text is markup, and the longest of everything: what a report and a page must survive.
import { UNKNOWN_DUMP } from "../../src/model/dump-info.ts";
import type { CrashSummary, SummaryFrame } from "../../src/model/crash-summary.ts";
import type { ReportedCrash } from "../../src/report/reported-crash.ts";

/** Runs a script, loads a picture, sends a form, breaks out of an attribute, reverses the reading order. */
export const MARKUP =
  `"'><script>document.title='taken'</script><img src=http://attacker.invalid/x onerror="document.title='taken'">` +
  `<style>*{display:none}</style><meta http-equiv=refresh content="0;url=http://attacker.invalid/">` +
  `<form action=http://attacker.invalid/><base href=http://attacker.invalid/></textarea>\u202Egnp.exe\u0007\u001B]0;x`;

/** Makes the crash. `repeats` lengthens its lists. */
export function hostileCrash(repeats = 1000): ReportedCrash {
  const frame: SummaryFrame = {
    address: MARKUP,
    module: `/lib/${MARKUP}`,
    module_offset: MARKUP,
    build_id: MARKUP,
    function: MARKUP,
    demangled: MARKUP,
    function_offset: MARKUP,
    source: MARKUP,
    trust: "cfi",
    signal: null,
  };
  const frames = Array.from({ length: repeats }, (_, index) => ({
    ...frame,
    address: `${index}${MARKUP}`,
    trust: (["cfi", "frame_pointer", "scan"] as const)[index % 3] ?? "scan",
  }));
  const summary: CrashSummary = {
    schema: 1,
    title: MARKUP,
    signal: {
      number: 11,
      name: MARKUP,
      code: 1,
      code_name: MARKUP,
      fault_address: "0x10",
      sender_pid: 1,
      sentence: MARKUP,
    },
    abort_message: { text: MARKUP, source: "abort_message", language: MARKUP },
    panic: { text: `${MARKUP}\n${MARKUP}`, source: "log", language: MARKUP },
    process: {
      comm: MARKUP,
      exe: MARKUP,
      pid: 7,
      uid: 0,
      gid: 0,
      threads: repeats,
      architecture: MARKUP,
    },
    crashing_thread: {
      tid: 7,
      name: MARKUP,
      registers: Object.fromEntries(
        Array.from({ length: repeats }, (_, index) => [`r${index}${MARKUP}`, MARKUP]),
      ),
      frames,
      cut: true,
      fault_frame: repeats,
    },
    threads: Array.from({ length: repeats }, (_, tid) => ({
      tid,
      name: MARKUP,
      count: 2,
      frames: frames.slice(0, 16),
    })),
    modules: Array.from({ length: repeats }, () => ({
      path: MARKUP,
      start: MARKUP,
      end: MARKUP,
      build_id: MARKUP,
      package: MARKUP,
      other_build: true,
    })),
    memory: Array.from({ length: repeats }, (_, index) => ({
      start: `0x${(index * 0x20000 + 0x1000).toString(16)}`,
      end: `0x${(index * 0x20000 + 0x9000).toString(16)}`,
      kind: index % 2 === 0 ? ("library" as const) : ("anonymous" as const),
      name: MARKUP,
    })),
    fingerprint: { bug: MARKUP, exact: MARKUP, algorithm: MARKUP, frames: [MARKUP] },
    incomplete: Array.from({ length: repeats }, () => ({ what: MARKUP, why: MARKUP })),
  };
  return {
    info: {
      ...UNKNOWN_DUMP,
      uuid: MARKUP,
      timestamp: "1700000000",
      hostname: MARKUP,
      exe: MARKUP,
      exe_path: MARKUP,
      namespace: MARKUP,
      podname: MARKUP,
      container_name: MARKUP,
      image: MARKUP,
      node_hostname: MARKUP,
      title: MARKUP,
      bug: MARKUP,
      core_bytes: 4096,
      missing: Array.from({ length: repeats }, () => ({ what: MARKUP, why: MARKUP })),
    },
    summary,
    log: Array.from({ length: repeats }, () => MARKUP).join("\n"),
    fileName: `${MARKUP}.zip`,
    key: MARKUP,
  };
}
