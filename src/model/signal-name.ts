// Names of Linux signal numbers (signal(7)); the same on x86-64 and arm64.

const NAMES: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  10: "SIGUSR1",
  11: "SIGSEGV",
  12: "SIGUSR2",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
  16: "SIGSTKFLT",
  24: "SIGXCPU",
  25: "SIGXFSZ",
  31: "SIGSYS",
};

/** Every signal whose default action is to dump core (signal(7)). */
export const CORE_SIGNALS = [
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGQUIT",
  "SIGSEGV",
  "SIGSYS",
  "SIGTRAP",
  "SIGXCPU",
  "SIGXFSZ",
] as const;

/** Returns the bare name of a signal that a person wrote as SIGSEGV, segv or 11: "SEGV". undefined for no signal. */
export function bareSignalName(text: string): string | undefined {
  const upper = /^\d+$/.test(text) ? signalName(Number(text)) : text.toUpperCase();
  const bare = upper.replace(/^SIG/, "");
  return Object.values(NAMES).includes(`SIG${bare}`) ? bare : undefined;
}

/** Returns a signal's name: "SIGSEGV" for 11, "SIG42" for a number without a name here. */
export function signalName(signal: number): string {
  return NAMES[signal] ?? `SIG${signal}`;
}
