import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Connection } from "./connection.ts";
import { readClaims } from "./web-token.ts";

/** What can be seen to be wrong with a connection's credentials, without asking anybody. `now` in ms. */
export function findCredentialFault(connection: Connection, now: number): string | undefined {
  const { cert, token } = connection;
  if (cert === undefined && token === undefined) return "there are none";
  return findCertificateFault(connection, now) ?? (token && findTokenFault(token, now)) ?? undefined;
}

/** The same, but only of what TLS needs. */
export function findCertificateFault(connection: Connection, now: number): string | undefined {
  const { ca, cert, key, origin } = connection;
  if (ca !== undefined && !parse(() => new X509Certificate(firstCertificate(ca)))) {
    return `the certificate-authority of ${origin} is malformed`;
  }
  const fault = cert !== undefined && key !== undefined ? comparePair(cert, key, now) : undefined;
  return fault && `${fault} (${origin})`;
}

/** From when to when the client certificate is valid, in ms since 1970; undefined without one. */
export function certificateLife({ cert }: Connection): { from: number; to: number } | undefined {
  const certificate =
    cert === undefined ? undefined : parse(() => new X509Certificate(firstCertificate(cert)));
  return certificate && { from: Date.parse(certificate.validFrom), to: Date.parse(certificate.validTo) };
}

function comparePair(cert: string, key: string, now: number): string | undefined {
  const certificate = parse(() => new X509Certificate(firstCertificate(cert)));
  if (!certificate) return "the client certificate is malformed";
  const privateKey = parse(() => createPrivateKey(firstKey(key)));
  if (!privateKey) return "the client key is malformed";
  if (parse(() => certificate.checkPrivateKey(privateKey)) !== true) {
    return "the client key is not that of the client certificate";
  }
  const { validFrom, validTo } = certificate;
  if (Date.parse(validTo) < now) return `the client certificate expired on ${validTo}`;
  if (Date.parse(validFrom) > now) return `the client certificate is valid only from ${validFrom} on`;
  return undefined;
}

function findTokenFault(token: string, now: number): string | undefined {
  const expiry = readClaims(token)?.["exp"];
  if (typeof expiry !== "number" || expiry * 1000 >= now) return undefined;
  return `the token expired on ${new Date(expiry * 1000).toUTCString()}`;
}

/** Certificate and key may stand in one text, in either order. */
export function firstCertificate(pem: string): string {
  return /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(pem)?.[0] ?? pem;
}

function firstKey(pem: string): string {
  return /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/.exec(pem)?.[0] ?? pem;
}

function parse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
