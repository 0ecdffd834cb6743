// A small API server over real TLS, with a certificate of its own authority, that checks the bearer token
// and answers from a table.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubernetesAccess } from "../../src/agent/kubernetes/kubernetes-api.ts";

export interface KubernetesServer {
  access: KubernetesAccess;
  /** "GET /path" → status and body; what is not listed is a 404. */
  answers: Map<string, { status: number; body: unknown }>;
  requests: { line: string; body: unknown }[];
  stop: () => void;
}

const TOKEN = "a-service-account-token";

export function startKubernetesServer(): KubernetesServer {
  const folder = mkdtempSync(join(tmpdir(), "kubernetes-"));
  makeCertificate(folder);
  writeFileSync(join(folder, "token"), `${TOKEN}\n`);
  // Whoever a container runs as, it reads its account.
  chmodSync(folder, 0o755);
  const answers: KubernetesServer["answers"] = new Map();
  const requests: KubernetesServer["requests"] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: {
      cert: readFileSync(join(folder, "ca.crt"), "utf8"),
      key: readFileSync(join(folder, "key.pem"), "utf8"),
    },
    async fetch(request) {
      const line = `${request.method} ${new URL(request.url).pathname}`;
      requests.push({ line, body: request.method === "POST" ? await request.json() : undefined });
      if (request.headers.get("authorization") !== `Bearer ${TOKEN}`)
        return Response.json({ kind: "Status", code: 401 }, { status: 401 });
      const { status, body } = answers.get(line) ?? { status: 404, body: { kind: "Status" } };
      return Response.json(body, { status });
    },
  });
  return {
    access: { baseUrl: `https://127.0.0.1:${server.port}`, accountFolder: folder },
    answers,
    requests,
    stop: () => {
      void server.stop(true);
      rmSync(folder, { recursive: true });
    },
  };
}

function makeCertificate(folder: string): void {
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
  const names = "-subj /CN=test -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out ca.crt";
  const made = Bun.spawnSync(["openssl", ...request.split(" "), ...names.split(" ")], {
    cwd: folder,
    stderr: "pipe",
  });
  if (made.exitCode !== 0) throw new Error(`openssl: ${made.stderr.toString()}`);
}
