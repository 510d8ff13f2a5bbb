import { isObject } from "../text/json.ts";
import type { Connection } from "./connection.ts";
import { readClaims } from "./web-token.ts";

/** The Node whose credentials these are: a kubelet's certificate, or a token that is bound to a Node. Verifies nothing. */
export async function nodeNameOf({
  cert,
  token,
}: Pick<Connection, "cert" | "token">): Promise<string | undefined> {
  const certified = cert === undefined ? undefined : await nameInCertificate(cert);
  return certified ?? (token === undefined ? undefined : nameInToken(token));
}

/** `CN=system:node:NAME`. */
async function nameInCertificate(cert: string): Promise<string | undefined> {
  const [{ X509Certificate }, { firstCertificate }] = await Promise.all([
    import("node:crypto"),
    import("./credential-fault.ts"),
  ]);
  try {
    const { subject } = new X509Certificate(firstCertificate(cert));
    return /^CN=system:node:(.+)$/m.exec(subject)?.[1];
  } catch {
    return undefined;
  }
}

/** The claim `kubernetes.io` → `node` → `name` (KEP 4193). */
function nameInToken(token: string): string | undefined {
  const kubernetes = readClaims(token)?.["kubernetes.io"];
  const node = isObject(kubernetes) ? kubernetes["node"] : undefined;
  const name = isObject(node) ? node["name"] : undefined;
  return typeof name === "string" && name !== "" ? name : undefined;
}
