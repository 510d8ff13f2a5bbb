import { readText } from "../host/files.ts";
import { reasonOf } from "./kubeconfig.ts";
import { complain, resolvePath, type Section, textAt } from "./section.ts";

const longestFile = 16 << 20;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;
const marks = {
  certificate: /-----BEGIN CERTIFICATE-----/,
  key: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/,
};

/** PEM text given inline (`client-key-data`, which wins) or as a file (`client-key`); undefined where it is neither. */
export function pemAt(section: Section, key: string, what: keyof typeof marks): string | undefined {
  const inline = textAt(section, `${key}-data`);
  if (inline !== undefined)
    return checkPem(section, `${key}-data`, decode(section, `${key}-data`, inline), what);
  const path = textAt(section, key);
  return path === undefined ? undefined : checkPem(section, key, readNamedFile(section, key, path), what);
}

/** A file that a kubeconfig names; it must be there. */
export function readNamedFile(section: Section, key: string, path: string): string {
  const resolved = resolvePath(section, path);
  let text: string | undefined;
  try {
    text = readText(resolved, longestFile);
  } catch (error) {
    throw complain(section, key, `: ${resolved} can't be read: ${reasonOf(error)}`);
  }
  if (text === undefined) throw complain(section, key, `: ${resolved} is absent`);
  return text;
}

function decode(section: Section, key: string, text: string): string {
  const compact = text.replace(/\s+/g, "");
  if (base64.test(compact) && compact.length % 4 === 0)
    return Buffer.from(compact, "base64").toString("utf8");
  const remedy = text.includes("-----BEGIN")
    ? `it is PEM text itself: encode it with base64 -w0`
    : "is a part of it missing?";
  throw complain(section, key, ": expected base64 of a PEM text", remedy);
}

function checkPem(section: Section, key: string, text: string, what: keyof typeof marks): string {
  if (/-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(text) && what === "key") {
    throw complain(
      section,
      key,
      ": the private key is encrypted",
      "nobody can type its passphrase here: store it decrypted",
    );
  }
  if (marks[what].test(text)) return text;
  const expected = what === "key" ? "PRIVATE KEY" : "CERTIFICATE";
  throw complain(
    section,
    key,
    `: expected PEM text with -----BEGIN ${expected}-----`,
    "is it a DER file, or cut off?",
  );
}
