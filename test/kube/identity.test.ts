import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority } from "../parts/certificates.ts";
import { type KubeProcess, runtimes, startKube } from "./runtimes.ts";

const token = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
const bound = (node: unknown) => token({ "kubernetes.io": { namespace: "kube-system", node } });

describe.each(runtimes)("nodeNameOf under %s", (runtime) => {
  let kube: KubeProcess;
  beforeAll(() => {
    kube = startKube(runtime);
  });
  afterAll(() => kube.stop());

  const nodeNameOf = async (shown: object) => {
    const { value, error } = await kube.call("nodeNameOf", shown);
    expect(error).toBeUndefined();
    return value;
  };

  it("reads a kubelet's certificate, with its key before or behind it", async () => {
    const authority = await createAuthority("test");
    const { certificate, key } = await authority.issue({
      commonName: "system:node:node-a.example",
      organizations: ["system:nodes"],
      usages: ["client"],
    });
    for (const cert of [
      certificate,
      certificate + key,
      key + certificate,
      certificate + authority.certificate,
    ]) {
      expect(await nodeNameOf({ cert, key })).toBe("node-a.example");
    }
  });

  it("finds nothing in other certificates, but goes on to the token", async () => {
    const authority = await createAuthority("test");
    const { certificate: cert } = await authority.issue({ commonName: "system:admin", usages: ["client"] });
    expect(await nodeNameOf({ cert })).toBeUndefined();
    expect(await nodeNameOf({ cert, token: bound({ name: "node-b", uid: "1" }) })).toBe("node-b");
  });

  it("finds nothing in rubbish", async () => {
    const rubbish = [
      "",
      "abc",
      "a.b.c",
      "..",
      token(null),
      token([]),
      token({}),
      bound(null),
      bound("x"),
      bound({ name: 1 }),
    ];
    for (const text of [...rubbish, bound({ name: "" }), `e30.${"%".repeat(10)}.x`]) {
      expect(await nodeNameOf({ token: text, cert: text })).toBeUndefined();
    }
    expect(await nodeNameOf({})).toBeUndefined();
  });
});
