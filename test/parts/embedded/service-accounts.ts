import { createPublicKey, generateKeyPairSync, randomUUID } from "node:crypto";
import type { KubeNode } from "../api-server.ts";
import { isSignedBy, readToken, signExpired, signToken } from "../web-token.ts";
import type { MayRead, Rules, User } from "./authorizer.ts";

/** ServiceAccounts, what they may read, and their tokens. */
export type ServiceAccounts = {
  rules: Rules;
  /** Makes the ServiceAccount where there is none, and replaces its rules. */
  apply(namespace: string, name: string, mayRead: MayRead): void;
  /** A token of an hour with the claims of the TokenRequest API, or one whose hour is over. */
  issueToken(namespace: string, name: string, options: { boundTo?: KubeNode; expired?: boolean }): string;
  /** The user of a token, or undefined where the token isn't good. */
  findUser(token: string): User | undefined;
};

type Named = { name: string; uid: string };

type Claims = {
  iss: string;
  aud: string[];
  exp: number;
  nbf: number;
  "kubernetes.io": { namespace: string; node?: Named; serviceaccount: Named };
};

const issuer = "https://kubernetes.default.svc";
const nameUser = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;

/** None at first. `findNode` is asked whether the Node that a token is bound to is still there. */
export function createServiceAccounts(findNode: (name: string) => KubeNode | undefined): ServiceAccounts {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKey = createPublicKey(privateKey);
  const uids = new Map<string, string>();
  const rules = new Map<string, MayRead>();

  function describeToken(namespace: string, name: string, boundTo?: KubeNode): Claims {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: issuer,
      aud: [issuer],
      nbf: now,
      exp: now + 3600,
      "kubernetes.io": {
        namespace,
        ...(boundTo && { node: { name: boundTo.metadata.name, uid: boundTo.metadata.uid } }),
        serviceaccount: { name, uid: uids.get(nameUser(namespace, name)) ?? "" },
      },
    };
  }

  function isGood({ iss, aud, exp, nbf, "kubernetes.io": about }: Claims): boolean {
    const now = Date.now() / 1000;
    const { namespace, node, serviceaccount } = about;
    return (
      iss === issuer &&
      aud.includes(issuer) &&
      now < exp &&
      now >= nbf &&
      uids.get(nameUser(namespace, serviceaccount.name)) === serviceaccount.uid &&
      (node === undefined || findNode(node.name)?.metadata.uid === node.uid)
    );
  }

  return {
    rules,
    apply: (namespace, name, mayRead) => {
      const user = nameUser(namespace, name);
      if (!uids.has(user)) uids.set(user, randomUUID());
      rules.set(user, mayRead);
    },
    issueToken: (namespace, name, { boundTo, expired }) => {
      const claims = {
        ...describeToken(namespace, name, boundTo),
        jti: randomUUID(),
        sub: nameUser(namespace, name),
      };
      const token = signToken({ header: { kid: "test" }, claims }, privateKey);
      return expired ? signExpired(token, privateKey) : token;
    },
    findUser: (token) => {
      const claims = readClaims(token);
      if (!claims || !isSignedBy(token, publicKey) || !isGood(claims)) return undefined;
      const { namespace, serviceaccount } = claims["kubernetes.io"];
      return {
        name: nameUser(namespace, serviceaccount.name),
        groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
      };
    },
  };
}

// Claims are believed only together with their signature, so their shape needs no second look.
function readClaims(token: string): Claims | undefined {
  try {
    return readToken(token).claims as Claims;
  } catch {
    return undefined;
  }
}
