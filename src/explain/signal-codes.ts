// Names the values of si_code (sigaction(2), asm-generic/siginfo.h).

const COMMON: Readonly<Record<number, string>> = {
  0: "SI_USER",
  128: "SI_KERNEL",
  [-1]: "SI_QUEUE",
  [-2]: "SI_TIMER",
  [-3]: "SI_MESGQ",
  [-4]: "SI_ASYNCIO",
  [-5]: "SI_SIGIO",
  [-6]: "SI_TKILL",
};

const OWN: Readonly<Record<number, readonly string[]>> = {
  4: "ILL_ILLOPC ILL_ILLOPN ILL_ILLADR ILL_ILLTRP ILL_PRVOPC ILL_PRVREG ILL_COPROC ILL_BADSTK".split(
    " ",
  ),
  5: "TRAP_BRKPT TRAP_TRACE TRAP_BRANCH TRAP_HWBKPT TRAP_UNK TRAP_PERF".split(" "),
  7: "BUS_ADRALN BUS_ADRERR BUS_OBJERR BUS_MCEERR_AR BUS_MCEERR_AO".split(" "),
  8: "FPE_INTDIV FPE_INTOVF FPE_FLTDIV FPE_FLTOVF FPE_FLTUND FPE_FLTRES FPE_FLTINV FPE_FLTSUB".split(
    " ",
  ),
  11: "SEGV_MAPERR SEGV_ACCERR SEGV_BNDERR SEGV_PKUERR SEGV_ACCADI SEGV_ADIDERR SEGV_ADIPERR SEGV_MTEAERR SEGV_MTESERR SEGV_CPERR".split(
    " ",
  ),
  31: "SYS_SECCOMP SYS_USER_DISPATCH".split(" "),
};

/** Returns "SEGV_MAPERR"; null for a code without a name here. */
export function signalCodeName(signal: number, code: number | null): string | null {
  if (code === null) return null;
  return COMMON[code] ?? OWN[signal]?.[code - 1] ?? null;
}

/** Returns whether a process sent the signal (kill, tgkill, abort), so that it has a pid and a uid and no address. */
export function wasSent(code: number | null): boolean {
  return code === 0 || code === -1 || code === -6;
}
