// TLS before a plain server, with a certificate of an authority that nobody knows (made by openssl).
import { connect } from "node:net";
import { join } from "node:path";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { temporaryFolder } from "./dumps.ts";

export interface TlsFront {
  /** https://127.0.0.1:PORT */
  endpoint: string;
  /** The authority's certificate, a PEM file. */
  caPath: string;
  stop(): void;
}

/** Files of a certificate for this machine's loopback. */
export interface Certificate {
  certPath: string;
  keyPath: string;
  /** The authority's certificate. */
  caPath: string;
}

export function makeCertificate(): Certificate {
  const folder = temporaryFolder("cdh-tls-");
  const inFolder = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args], { cwd: folder });
    if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr.toString()}`);
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test-ca");
  openssl("req", ...newKey, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost");
  writeFileSync(inFolder("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1");
  const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
  openssl("x509", "-req", "-in", "request.pem", "-out", "cert.pem", ...by);
  return {
    certPath: inFolder("cert.pem"),
    keyPath: inFolder("key.pem"),
    caPath: inFolder("ca.pem"),
  };
}

export async function startTlsFront(plainUrl: string): Promise<TlsFront> {
  const { certPath, keyPath, caPath } = makeCertificate();
  const plain = new URL(plainUrl);
  const options = {
    key: readFileSync(keyPath),
    cert: readFileSync(certPath),
  };
  const server = createServer(options, (outer) => {
    const inner = connect(Number(plain.port), plain.hostname);
    outer.pipe(inner).pipe(outer);
    outer.on("error", () => inner.destroy());
    inner.on("error", () => outer.destroy());
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `https://127.0.0.1:${port}`,
    caPath,
    stop: () => void server.close(),
  };
}
