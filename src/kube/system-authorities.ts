import { readText } from "../host/files.ts";
import type { Environment } from "./connection.ts";

/** Where Linux distributions keep the certificate authorities that they trust (Go: crypto/x509/root_linux.go). */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** The machine's own authorities, PEM: a kubeconfig without one means them. Undefined where there are none to be read. */
export function readSystemAuthorities(env: Environment): string | undefined {
  for (const path of env["SSL_CERT_FILE"] ? [env["SSL_CERT_FILE"]] : bundles) {
    try {
      const text = readText(path, 16 << 20);
      if (text?.includes("-----BEGIN CERTIFICATE-----")) return text;
    } catch {
      // As good as absent: the next one may be readable, and a server that isn't verified is refused.
    }
  }
  return undefined;
}
