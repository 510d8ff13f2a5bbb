import { type KeyObject, sign, verify } from "node:crypto";

/** Header and claims of a JSON Web Token, RFC 7519. */
export type WebToken = { header: Record<string, unknown>; claims: Record<string, unknown> };

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
const decode = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, "base64url").toString());

/** Signs with ES256; `key` is a private EC P-256 key. */
export function signToken({ header, claims }: WebToken, key: KeyObject): string {
  const signed = `${encode({ ...header, alg: "ES256" })}.${encode(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** Header and claims, unchecked. Throws where the text is no token. */
export function readToken(token: string): WebToken {
  const [header, claims, signature, ...rest] = token.split(".");
  if (!header || !claims || !signature || rest.length > 0) throw new Error("not a JSON Web Token");
  return { header: decode(header), claims: decode(claims) };
}

/** Whether `key` signed the token; says nothing of its times. */
export function isSignedBy(token: string, key: KeyObject): boolean {
  const end = token.lastIndexOf(".");
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  return verify("sha256", Buffer.from(token.slice(0, end)), { key, dsaEncoding: "ieee-p1363" }, signature);
}

/** The same token, but it ended an hour ago. */
export function signExpired(token: string, key: KeyObject): string {
  const { header, claims } = readToken(token);
  const now = Math.floor(Date.now() / 1000);
  return signToken({ header, claims: { ...claims, iat: now - 7200, nbf: now - 7200, exp: now - 3600 } }, key);
}
