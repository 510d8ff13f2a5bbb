import { resolve } from "node:path";
import { CniError, code } from "../cni/error.ts";
import type { Named } from "./kubeconfig.ts";
import { type Section, textAt, textsAt } from "./section.ts";

/** kubectl's flags that say which cluster and who one is; each wins over what stands in the kubeconfig. */
export type Overrides = Named & {
  kubeconfig?: string;
  namespace?: string;
  server?: string;
  token?: string;
  certificateAuthority?: string;
  clientCertificate?: string;
  clientKey?: string;
  insecureSkipTlsVerify?: boolean;
  tlsServerName?: string;
  as?: string;
  asUid?: string;
  asGroup?: string[];
};

/** Whom a request is made for, as the API server's impersonation headers have it. */
export type Impersonation = { user: string; uid?: string; group?: string };

/** The rules are client-go's (client_config.go, getCluster): what is given takes what contradicts it out. */
export function overrideCluster(cluster: Section, overrides: Overrides): Section {
  const { server, certificateAuthority, insecureSkipTlsVerify, tlsServerName } = overrides;
  const trust = certificateAuthority !== undefined || insecureSkipTlsVerify === true;
  return change(cluster, {
    ...(server !== undefined && { server, "tls-server-name": undefined }),
    ...(tlsServerName !== undefined && { "tls-server-name": tlsServerName }),
    ...(trust && {
      "certificate-authority": fileOf(certificateAuthority),
      "certificate-authority-data": undefined,
      "insecure-skip-tls-verify": insecureSkipTlsVerify,
    }),
  });
}

/** A token or a certificate stands beside the other credentials, but nothing in the kubeconfig goes before it. */
export function overrideUser(user: Section, { token, clientCertificate, clientKey }: Overrides): Section {
  return change(user, {
    ...(token !== undefined && { token, tokenFile: undefined }),
    ...(clientCertificate !== undefined && {
      "client-certificate": fileOf(clientCertificate),
      "client-certificate-data": undefined,
    }),
    ...(clientKey !== undefined && { "client-key": fileOf(clientKey), "client-key-data": undefined }),
  });
}

const impersonationKeys = ["as", "as-uid", "as-groups", "as-user-extra"];

/** Takes the kubeconfig's impersonation out of the user: what is left are his own credentials. */
export function readImpersonation(
  user: Section,
  { as, asUid, asGroup }: Overrides,
): { own: Section; impersonation?: Impersonation } {
  const name = as ?? textAt(user, "as");
  const uid = asUid ?? textAt(user, "as-uid");
  const [group, ...more] = asGroup ?? textsAt(user, "as-groups");
  if (name === undefined && (uid ?? group) !== undefined)
    throw new CniError(
      code.invalidConfig,
      "--as-uid and --as-group go with --as",
      "say who it is: --as=USER",
    );
  if (more.length > 0)
    throw new CniError(
      code.invalidConfig,
      "more than one --as-group isn't supported here",
      "give the one that has the rights",
    );
  const own = change(user, Object.fromEntries(impersonationKeys.map((key) => [key, undefined])));
  if (name === undefined) return { own };
  return {
    own,
    impersonation: { user: name, ...(uid !== undefined && { uid }), ...(group !== undefined && { group }) },
  };
}

/** A path on the command line is relative to the working folder. */
function fileOf(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}

function change(section: Section, values: Record<string, unknown>): Section {
  return { ...section, values: { ...section.values, ...values } };
}
