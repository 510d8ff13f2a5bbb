// examples/rbac/people.yaml: each role does what it is for, and is refused the rest, by a real API server.
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openSite, type Site } from "../kubectl/kubectl.ts";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing }, kubectl());
const key = "example.com/net1";

describe.skipIf(lack.some)(`examples/rbac/people.yaml${lack.words}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    const { api, admin } = site;
    await api.createNode({
      name: "a",
      podCIDRs: ["10.1.0.0/24"],
      annotations: { [key]: "172.20.0.0/28" },
      labels: { split: "yes" },
    });
    await defineNetworks(admin);
    await createNamespace(admin, "default");
    const ipam = { type: "kube-node", annotation: key };
    await createNetwork(admin, "default/net1", { cniVersion: "1.0.0", name: "net1", type: "bridge", ipam });
    await createPod(admin, {
      name: "one",
      node: "a",
      ips: ["10.1.0.2"],
      attachments: { "default/net1": ["172.20.0.2"] },
    });
    await type("apply", "-f", join(checkout, "examples/rbac/people.yaml"));
    for (const [user, roles] of Object.entries({
      viewer: ["viewer"],
      editor: ["viewer", "editor"],
      splitter: ["viewer", "editor"],
    }))
      for (const role of roles)
        await type(
          ...["create", "clusterrolebinding", `${user}-${role}`],
          ...[`--clusterrole=kube-node-${role}`, `--user=${user}`],
        );
    await type(
      ...["create", "rolebinding", "splitter", "-n", "kube-system"],
      ...["--role=kube-node-split", "--user=splitter"],
    );
    // RBAC learns of it a moment later.
    await vi.waitUntil(
      async () => (await mayI("splitter", "update", "configmaps", "-n", "kube-system")) === "yes",
      { timeout: 20_000, interval: 200 },
    );
  }, 120_000);
  afterAll(() => site?.close());

  async function type(...words: string[]): Promise<string> {
    const env = { KUBECONFIG: join(site.folder, "kubeconfig-0"), HOME: site.folder };
    return (await execa(kubectl().path as string, words, { env, extendEnv: false, reject: false })).stdout;
  }
  const annotations = async () => (await site.api.getNode("a"))?.metadata.annotations;
  const mayI = (user: string, ...what: string[]) => type("auth", "can-i", ...what, `--as=${user}`);
  const run = (user: string, words: string) => site.run(`${words} --as=${user}`);

  it.each([
    ["list", "172.20.0.0/28"],
    ["explain 172.20.0.2", "default/one"],
    ["verify", "2 ranges, 2 addresses: nothing is wrong"],
    ["map", "10.1.0.0/24"],
  ])("a viewer may %s", async (words, expected) => {
    const { stdout, stderr, exitCode } = await run("viewer", words);
    expect({ exitCode, said: stdout + stderr }).toEqual({
      exitCode: 0,
      said: expect.stringContaining(expected),
    });
    expect(stderr).not.toMatch(/forbid|may not/i);
  });

  it("a viewer may not write; an editor may", async () => {
    const words = `annotate a ${key}=172.20.0.0/27 --overwrite`;
    const refused = await run("viewer", words);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/forbid/) });
    expect(await annotations()).toMatchObject({ [key]: "172.20.0.0/28" });
    expect(await run("editor", words)).toMatchObject({ exitCode: 0 });
    expect(await annotations()).toMatchObject({ [key]: "172.20.0.0/27" });
  });

  it("splitting needs the role for its plan, too", async () => {
    const words = "split example.com/split --cidr=172.21.0.0/24 --per-node=/28 -l split=yes --yes";
    expect(await run("editor", words)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/forbid/),
    });
    expect(await annotations()).not.toHaveProperty(["example.com/split"]);
    expect(await run("splitter", words)).toMatchObject({ exitCode: 0 });
    expect(await annotations()).toHaveProperty(["example.com/split"]);
  });

  it.each(["viewer", "editor", "splitter"])("%s may read no Secret, and delete nothing", async (user) => {
    for (const what of [
      ["get", "secrets"],
      ["delete", "nodes"],
      ["delete", "configmaps"],
      ["create", "pods"],
      ["update", "configmaps", "-n", "default"],
    ])
      expect(await mayI(user, ...what), what.join(" ")).toBe("no");
  });
});
