// A crictl in HOST_DIR that answers what the test says (contract, section 8), and how it behaves.
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type CrictlMode = "good" | "warning" | "failing" | "hanging" | "garbage" | "endless";

export interface CrictlAnswers {
  pods: unknown[];
  /** By pod id. */
  inspectp: Record<string, unknown>;
  containers: unknown[];
  images: unknown[];
  /** By container id. */
  inspect: Record<string, unknown>;
  /** By container id: what comes on stdout and on stderr. */
  logs: Record<string, { stdout: string; stderr: string }>;
}

const SCRIPT = join(import.meta.dir, "../fixtures/crictl/crictl");

export function installFakeCrictl(hostDir: string, mode: CrictlMode, answers: CrictlAnswers): void {
  const folder = join(hostDir, "answers");
  mkdirSync(folder, { recursive: true });
  const write = (name: string, value: unknown) =>
    writeFileSync(
      join(folder, name),
      typeof value === "string" ? value : JSON.stringify(value, null, 2),
    );
  write("pods", { items: answers.pods });
  write("ps", { containers: answers.containers });
  write("img", { images: answers.images });
  write("images", { images: answers.images });
  for (const [id, value] of Object.entries(answers.inspectp)) write(`inspectp-${id}`, value);
  for (const [id, value] of Object.entries(answers.inspect)) write(`inspect-${id}`, value);
  for (const [id, { stdout, stderr }] of Object.entries(answers.logs)) {
    write(`logs-${id}`, stdout);
    write(`logs-${id}-stderr`, stderr);
  }
  writeFileSync(join(hostDir, "mode"), mode);
  writeFileSync(join(hostDir, "calls"), "");
  copyFileSync(SCRIPT, join(hostDir, "crictl"));
  chmodSync(join(hostDir, "crictl"), 0o755);
}

/** Each call's arguments as one line. */
export function crictlCalls(hostDir: string): string[] {
  return readFileSync(join(hostDir, "calls"), "utf8").split("\n").filter(Boolean);
}

/** crictl's own PATH comes before HOST_DIR: where the machine has one, the fake is never asked. */
export function crictlObstacle(): string | undefined {
  const own = Bun.which("crictl", {
    PATH: "/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin:/home/kubernetes/bin",
  });
  return own === null ? undefined : `${own} would be asked instead of the fake`;
}
