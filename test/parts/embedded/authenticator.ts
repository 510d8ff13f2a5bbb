import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { User } from "./authorizer.ts";

const anonymous: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/**
 * Who asks: by client certificate (CN is the user, each O a group), else by bearer token, else nobody. Undefined where
 * credentials were shown and none was good.
 */
export function authenticate(
  request: IncomingMessage,
  findTokenUser: (token: string) => User | undefined,
): User | undefined {
  const certificate = readCertificateUser(request.socket as TLSSocket);
  if (certificate.user) return certificate.user;
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (token !== undefined) return findTokenUser(token);
  return certificate.shown ? undefined : anonymous;
}

function readCertificateUser(socket: TLSSocket): { shown: boolean; user?: User } {
  const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string; O?: string | string[] } };
  if (!subject) return { shown: false };
  if (!socket.authorized || subject.CN === undefined) return { shown: true };
  const groups = [subject.O ?? []].flat();
  return { shown: true, user: { name: subject.CN, groups: [...groups, "system:authenticated"] } };
}
