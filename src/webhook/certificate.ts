import "reflect-metadata"; // tsyringe below @peculiar/x509 wants it first
import { X509Certificate as Parsed } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A server's certificate and its PKCS #8 key, both PEM. */
export type Pair = { certificate: string; key: string };

/** What a server is called: DNS names and addresses. */
export type ServerNames = { dns: readonly string[]; ips: readonly string[] };

/** A certificate that its server signs itself, and that is its own authority: EC P-256, good from an hour before `now`. */
export async function makeCertificate(names: ServerNames, now: Date, lifetimeMs: number): Promise<Pair> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [names.dns[0] ?? names.ips[0] ?? "kube-node"] }],
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    notBefore: new Date(now.getTime() - 60 * 60_000),
    notAfter: new Date(now.getTime() + lifetimeMs),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: "dns" as const, value })),
        ...names.ips.map((value) => ({ type: "ip" as const, value })),
      ]),
    ],
  });
  const key = PemConverter.encode(
    await crypto.subtle.exportKey("pkcs8", keys.privateKey),
    PemConverter.PrivateKeyTag,
  );
  return { certificate: `${certificate.toString("pem")}\n`, key: `${key}\n` };
}

/** Whether it is called so, and a third of its life is still to come. */
export function isFresh({ certificate }: Pick<Pair, "certificate">, names: ServerNames, now: Date): boolean {
  const parsed = parse(certificate);
  if (!parsed) return false;
  const [from, to] = [Date.parse(parsed.validFrom), Date.parse(parsed.validTo)];
  const isNamed =
    names.dns.every((name) => parsed.checkHost(name) !== undefined) &&
    names.ips.every((ip) => parsed.checkIP(ip) !== undefined);
  return isNamed && from <= now.getTime() && to - now.getTime() > (to - from) / 3;
}

export function isOver({ certificate }: Pick<Pair, "certificate">, now: Date): boolean {
  const parsed = parse(certificate);
  return !parsed || Date.parse(parsed.validTo) <= now.getTime();
}

function parse(certificate: string): Parsed | undefined {
  try {
    return new Parsed(certificate);
  } catch {
    return undefined;
  }
}
