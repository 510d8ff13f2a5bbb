import "reflect-metadata"; // tsyringe below @peculiar/x509 wants it first
import type { webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** `usages` says which side of a connection the certificate is good for; times default to a minute ago and a day from now. */
export type CertificateRequest = {
  commonName: string;
  organizations?: string[];
  ipAddresses?: string[];
  dnsNames?: string[];
  notBefore?: Date;
  notAfter?: Date;
  usages: ("client" | "server")[];
};

/** Certificate and PKCS #8 key, both PEM. */
export type Issued = { certificate: string; key: string };

/** A certificate authority in memory: its certificate as PEM, and what it signs. */
export type Authority = { certificate: string; issue(request: CertificateRequest): Promise<Issued> };

const keyAlgorithm = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
const minute = 60_000;
const day = 24 * 60 * minute;

/** A new self-signed authority, EC P-256, valid for ten days. Two authorities of one name don't trust each other. */
export async function createAuthority(name: string): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm,
    notBefore: new Date(Date.now() - 2 * day),
    notAfter: new Date(Date.now() + 8 * day),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(
        KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature,
        true,
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificate: `${certificate.toString("pem")}\n`,
    issue: (request) => issue(certificate, keys, request),
  };
}

async function issue(
  authority: X509Certificate,
  signer: webcrypto.CryptoKeyPair,
  request: CertificateRequest,
): Promise<Issued> {
  const keys = await generateKeys();
  const names = subjectNames(request);
  const certificate = await X509CertificateGenerator.create({
    subject: subject(request),
    issuer: authority.subjectName,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm,
    notBefore: request.notBefore ?? new Date(Date.now() - minute),
    notAfter: request.notAfter ?? new Date(Date.now() + day),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(request.usages.map((usage) => ExtendedKeyUsage[`${usage}Auth`])),
      await AuthorityKeyIdentifierExtension.create(signer.publicKey),
      ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: await exportKey(keys.privateKey) };
}

function subject(request: CertificateRequest): JsonName {
  return [...(request.organizations ?? []).map((name) => ({ O: [name] })), { CN: [request.commonName] }];
}

function subjectNames(request: CertificateRequest): JsonGeneralNames {
  return [
    ...(request.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
    ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
  ];
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), PemConverter.PrivateKeyTag)}\n`;
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
}
