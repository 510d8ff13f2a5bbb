import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { nameOfPlan } from "../../src/kubectl/plan-object.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { inPath, whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const script = inPath("script").find((path) => existsSync(path));
const terminal = whatLacks(
  missing === undefined ? {} : { missing },
  script ? {} : { missing: "script (util-linux)" },
);
const network = ["--cidr=172.20.0.0/16", "--per-node=/24"];

describe.skipIf(lack.some)(`kubectl kube-node split on a real API server${lack.words}`, () => {
  let site: Site;
  const names = ["a", "b", "c"];

  beforeAll(async () => {
    site = await openSite();
    for (const [index, name] of names.entries())
      await site.api.createNode({
        name,
        podCIDRs: [`172.20.${index * 2}.0/24`],
        labels: { zone: name === "c" ? "2" : "1" },
      });
  }, 90_000);
  afterAll(() => site?.close());

  const value = async (node: string, key: string) =>
    (await site.api.getNode(node))?.metadata.annotations?.[key];
  const values = (key: string) => Promise.all(names.map((name) => value(name, key)));
  const plan = (key: string) =>
    site.admin.get<{ data: Record<string, string> }>(
      `/api/v1/namespaces/kube-system/configmaps/${nameOfPlan(key)}`,
    );

  it.each(executables())(
    "gives blocks past podCIDRs, and remembers its terms ($label)",
    async ({ label, command }) => {
      const key = `example.com/${label.split(" ")[0]}`;
      const program = command("kubectl-kube_node");
      const words = [
        "split",
        key,
        ...network,
        "--exclude=172.20.3.0/24",
        "--reserve-first=9",
        "-l",
        "zone=1",
      ];
      const first = await site.run(words, { program });
      expect(first).toMatchObject({ exitCode: 0, stdout: `${key}: 2 Nodes annotated` });
      expect(first.stderr.replace(/\d+\.\d s, \d+\/s/, "TIME")).toMatchSnapshot("plan");
      const block = (index: number) => `172.20.${index}.10-172.20.${index}.254/24`;
      expect(await values(key)).toEqual([block(1), block(5), undefined]);
      const { data } = await plan(key);
      expect(data).toMatchObject({
        key,
        cidr: "172.20.0.0/16",
        "per-node": "/24",
        exclude: "172.20.3.0/24",
        "reserve-first": "9",
      });
      expect(data["blocks"]).toMatch(/^a [\w-]{36} 172\.20\.1\.0\/24\nb [\w-]{36} 172\.20\.5\.0\/24\n$/);

      expect(await site.run(["split", key], { program })).toMatchObject({ exitCode: 0 });
      expect(await values(key)).toEqual([block(1), block(5), block(6)]);
      const before = await plan(key);
      const again = await site.run(["split", key], { program });
      expect(again).toMatchObject({ exitCode: 0, stdout: `${key}: 0 Nodes annotated` });
      expect(await plan(key)).toEqual(before);
    },
  );

  it("shows the plan and stores nothing in dry runs", async () => {
    const key = "example.com/dry";
    const client = await site.run(["split", key, ...network, "--dry-run=client"]);
    expect(client.stdout).toMatchSnapshot();
    const server = await site.run(["split", key, ...network, "--dry-run=server"]);
    expect(server).toMatchObject({ exitCode: 0, stdout: `${key}: 3 Nodes annotated (server dry run)` });
    expect(await values(key)).toEqual([undefined, undefined, undefined]);
    await expect(plan(key)).rejects.toThrow("not found");
  });

  it("says what it did as JSON, YAML and names", async () => {
    const key = "example.com/output";
    const dry = await site.run(["split", key, ...network, "--dry-run=client", "-o", "json"]);
    const document = JSON.parse(dry.stdout);
    expect({
      ...document,
      nodes: document.nodes.map(({ uid: _, ...node }: { uid: string }) => node),
    }).toMatchSnapshot();
    expect(
      parse((await site.run(["split", key, ...network, "--dry-run=client", "-o", "yaml"])).stdout),
    ).toEqual(document);
    const written = await site.run(["split", key, ...network, "-o", "name"]);
    expect(written.stdout).toBe("node/a\nnode/b\nnode/c");
    const after = await site.run(["split", key, "-o", "json"]);
    expect(JSON.parse(after.stdout).nodes.map(({ state }: { state: string }) => state)).toEqual([
      "kept",
      "kept",
      "kept",
    ]);
  });

  it("leaves malformed annotations alone, does the others, and ends with 1", async () => {
    const key = "example.com/malformed";
    await site.api.setAnnotation("b", key, "172.20.0.0/33");
    const { exitCode, stdout, stderr } = await site.run(["split", key, ...network]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: `${key}: 2 Nodes annotated` });
    expect(stderr).toMatch(/^b +- +refused +its annotation can't be read: at character 1: /m);
    expect(await value("b", key)).toBe("172.20.0.0/33");
  });

  it("refuses other terms than the plan's, and a space that is too small, before anything is written", async () => {
    const key = "example.com/terms";
    const small = await site.run(["split", key, "--cidr=10.9.0.0/25", "--per-node=/26"]);
    expect(small).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("3 Nodes want one: give a wider --cidr"),
    });
    await site.run(["split", key, ...network]);
    const other = await site.run(["split", key, "--per-node=/25"]);
    expect(other).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("was made with --cidr=172.20.0.0/16 --per-node=/24"),
    });
    const wider = await site.run(["split", key, "--cidr=172.16.0.0/12,fd00:2::/48", "--per-node=/24,/64"]);
    expect(wider.exitCode).toBe(0);
    expect(await values(key)).toEqual(
      [1, 3, 5].map((block, index) =>
        `172.20.${block}.0/24,fd00:2:0:${index || ""}::/64`.replace(":0:::", "::"),
      ),
    );
  });

  it.each([
    [["split"], "missing required argument"],
    [["split", "a key", ...network], '"a key" is no key of an annotation'],
    [["split", "k", "--cidr=1.2.3.4/16", "--per-node=24"], "1.2.3.4/16 has host bits set: write 1.2.0.0/16"],
    [["split", "k", ...network, "--exclude=x"], '--exclude: "x" is no CIDR'],
    [["split", "k", ...network, "--release-after=soon"], "--release-after soon: expected a time"],
    [["split", "k", ...network, "--dry-run=yes"], "Allowed choices are none, client, server"],
  ])("%j is a mistake in the words", async (words, message) => {
    const { exitCode, stderr } = await site.run(words);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  it("stops where it may not write Nodes, and says so once", async () => {
    const kubeconfig = await site.kubeconfigFor({ kind: "kubelet", node: "a" });
    const { exitCode, stderr } = await site.run(["split", "example.com/forbidden", ...network], {
      env: { KUBECONFIG: kubeconfig },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^kubectl kube-node: .*configmaps .* is forbidden/);
  });

  it.skipIf(terminal.some)(`asks on a terminal, and takes no for an answer${terminal.words}`, async () => {
    const key = "example.com/asked";
    const file = join(site.folder, "asks.sh");
    const program = executables()[0]?.command("kubectl-kube_node").join(" ");
    writeFileSync(file, `${program} split ${key} ${network.join(" ")}; echo "ended with $?"\n`);
    const kubeconfig = await site.kubeconfigFor({ kind: "admin" });
    const answer = (input: string) =>
      execa(script as string, ["-qec", `sh ${file}`, "/dev/null"], {
        input,
        env: { KUBECONFIG: kubeconfig },
      });
    const no = await answer("n\n");
    expect(no.stdout).toContain("Annotate 3 Nodes? [y/N]");
    expect(no.stdout).toContain("nothing was written");
    expect(no.stdout).toContain("ended with 1");
    expect(await values(key)).toEqual([undefined, undefined, undefined]);
    expect((await answer("y\n")).stdout).toContain("ended with 0");
    expect(await values(key)).toEqual(["172.20.1.0/24", "172.20.3.0/24", "172.20.5.0/24"]);
  });
});
