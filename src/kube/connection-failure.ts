import type { Connection } from "./connection.ts";
import { type Outage, outage } from "./outage.ts";

const unknownAuthority = [
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
];
const closed = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];

/** What the network, TLS or the proxy did instead of an answer. `status` is there where the answer had begun. */
export async function explainFailure(
  connection: Connection,
  error: unknown,
  status: number | undefined,
): Promise<Outage> {
  if (status !== undefined) return outage(connection, `broke off its answer (${status})`, { status });
  const codes = codesOf(error);
  const known = codes.map((code) => wordsFor(connection, code)).find((words) => words !== undefined);
  if (known !== undefined) return outage(connection, known);
  const { findCertificateFault } = await import("./credential-fault.ts");
  const fault = findCertificateFault(connection, Date.now());
  const what = describeCode(codes[0] ?? (error instanceof Error ? error.name : "an unknown error"));
  return outage(connection, fault === undefined ? what : `${what}: ${fault}`);
}

/** What became of an answer that lasts until somebody ends it: a watch. */
export function explainBreak(connection: Connection, error: unknown, status: number): Outage {
  const codes = codesOf(error);
  if (codes.some((code) => closed.includes(code)))
    return outage(connection, "closed the connection", { status });
  return outage(connection, `broke off its answer (${codes[0] ?? status})`, { status });
}

/** Where nothing but the code has to be known. */
function wordsFor(connection: Connection, code: string): string | undefined {
  if (unknownAuthority.includes(code)) return describeAuthority(connection, code);
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "HOSTNAME_MISMATCH": {
      const name = connection.serverName ?? new URL(connection.server).hostname;
      return `shows a certificate that isn't for ${name}: set tls-server-name to a name in it, or correct the address`;
    }
    case "CERT_HAS_EXPIRED":
      return "shows a certificate that has expired: renew it, or set this machine's clock";
    case "CERT_NOT_YET_VALID":
      return "shows a certificate that isn't valid yet: set this machine's clock";
    case "ECONNREFUSED":
      return "refused the connection";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `can't be found: its name has no address (${code})`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `can't be reached: there is no route to it (${code})`;
    case "ETIMEDOUT":
      return "did not answer in time";
    case "ERR_PROXY_TUNNEL":
    case "UND_ERR_ABORTED":
      return "was not asked: the proxy refused to connect to it";
    default:
      return undefined;
  }
}

function describeAuthority({ ca, origin }: Connection, code: string): string {
  const remedy =
    ca === undefined
      ? `${origin} names no certificate-authority, and the system knows none for it`
      : `the certificate-authority of ${origin} is another cluster's, or outdated`;
  return `shows a certificate of an unknown authority (${code}): ${remedy}`;
}

/** Where the reason may lie in the certificates that were shown or given. */
function describeCode(code: string): string {
  if (closed.includes(code)) return "closed the connection without an answer";
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return `does not agree on TLS (${code}): it speaks none on this port, an old one, or wants a client certificate`;
  }
  return `can't be talked to (${code})`;
}

/** Codes of an error and its causes, the outermost first. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === "string") codes.push(code);
  }
  return codes;
}
