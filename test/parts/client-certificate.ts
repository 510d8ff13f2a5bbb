import type { Identity } from "./api-server.ts";
import type { Authority, Issued } from "./certificates.ts";

const hour = 3_600_000;

/** The client certificate by which Kubernetes knows an administrator or a kubelet. */
export function issueClientCertificate(
  authority: Authority,
  identity: Extract<Identity, { kind: "admin" | "kubelet" }>,
): Promise<Issued> {
  const usages = ["client" as const];
  if (identity.kind === "admin")
    return authority.issue({ commonName: "admin", organizations: ["system:masters"], usages });
  return authority.issue({
    commonName: `system:node:${identity.node}`,
    organizations: ["system:nodes"],
    usages,
    ...(identity.expired && {
      notBefore: new Date(Date.now() - 2 * hour),
      notAfter: new Date(Date.now() - hour),
    }),
  });
}
