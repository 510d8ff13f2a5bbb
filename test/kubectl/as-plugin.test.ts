import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, createPod } from "../parts/cluster-objects.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { firstProgram, inPath, kubectl, whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const tool = kubectl();
const lack = whatLacks(missing === undefined ? {} : { missing }, tool);
const bash = firstProgram(inPath("bash"), "bash");
const zsh = firstProgram(inPath("zsh"), "zsh");
const fish = firstProgram(inPath("fish"), "fish");

describe.skipIf(lack.some)(`as a plugin of the real kubectl${lack.words}`, () => {
  let site: Site;
  let path: string;

  beforeAll(async () => {
    site = await openSite();
    await createNamespace(site.admin, "default");
    for (const name of ["node-a", "node-b"])
      await site.api.createNode({
        name,
        annotations: { "example.com/net1": name === "node-a" ? "10.1.0.0/24" : "10.1.1.0/24" },
      });
    await createPod(site.admin, { name: "web-0", node: "node-a", ips: ["10.1.0.2"] });
    path = [dirname(executables()[0]?.command("kubectl-kube_node")[0] ?? ""), process.env["PATH"]].join(
      delimiter,
    );
  }, 90_000);
  afterAll(() => site?.close());

  const run = (words: string[], env: Record<string, string> = {}) =>
    site.run(words, { program: [tool.path ?? ""], env: { PATH: path, ...env } });

  it("kubectl lists it, and runs it with its words", async () => {
    expect((await run(["plugin", "list"])).stdout).toContain("/kubectl-kube_node");
    const { stdout, exitCode } = await run(["kube-node", "list", "-o", "name"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "node/node-a\nnode/node-b", exitCode: 0 });
    expect((await run(["kube-node", "lst"])).exitCode).toBe(2);
  });

  it("ends as kubectl's scripts expect: its exit code is kubectl's", async () => {
    expect((await run(["kube-node", "explain", "8.8.8.8"])).exitCode).toBe(1);
  });

  /** kubectl's own completion, which asks kubectl_complete-kube_node. */
  const complete = async (...words: string[]) =>
    (await run(["__complete", "kube-node", ...words])).stdout.split("\n");

  it.each([
    [
      ["ver"],
      [
        "verify\tChecks the whole cluster: ranges that overlap or are malformed, addresses outside or held twice, pools' blocks",
        ":4",
      ],
    ],
    [
      ["list", "-o", "js"],
      ["json", ":4"],
    ],
    [
      ["list", "--output=y"],
      ["--output=yaml", ":4"],
    ],
    [
      ["list", "--key", ""],
      ["example.com/net1", ":4"],
    ],
    [
      ["--context", ""],
      ["test", ":4"],
    ],
    [
      ["annotate", "node-"],
      ["node-a", "node-b", ":4"],
    ],
    [
      ["annotate", "node-a", "e"],
      ["example.com/net1=", ":6"],
    ],
    [
      ["explain", "default/"],
      ["default/web-0", ":4"],
    ],
    [["list", "--kubeconfig", ""], [":0"]],
    [
      ["completion", ""],
      ["bash", "zsh", "fish", ":4"],
    ],
    [
      ["bundle", "node-a", "node-"],
      ["node-b", ":4"],
    ],
    [["bundle", "-o", ""], [":0"]],
    [
      ["annotate", "--plan-namespace", "kube-sy"],
      ["kube-system", ":4"],
    ],
    [["nonsense", ""], [":4"]],
  ])("completes %j", async (words, candidates) => {
    expect((await complete(...words)).filter((line) => line !== "")).toEqual(candidates);
  });

  it("an API server that isn't there leaves nothing to complete, and no error in the line", async () => {
    const { stdout, stderr } = await run([
      "__complete",
      "kube-node",
      "-s",
      "https://127.0.0.1:1",
      "annotate",
      "",
    ]);
    expect(stdout.split("\n").filter(Boolean)).toEqual([":4"]);
    expect(stderr).not.toContain("refused");
  });

  const bashLack = whatLacks(bash);
  it.skipIf(bashLack.some)(
    `bash completes kubectl-kube_node by the script of "completion bash"${bashLack.words}`,
    async () => {
      const script = (await run(["kube-node", "completion", "bash"])).stdout;
      const ask = async (line: string) => {
        const program = `${script}
        COMP_LINE=${JSON.stringify(line)} COMP_POINT=\${#COMP_LINE} COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
        compopt() { :; }
        _kubectl_kube_node; printf '%s\\n' "\${COMPREPLY[@]}"`;
        const env = { PATH: path, KUBECONFIG: await site.kubeconfigFor({ kind: "admin" }) };
        return (await execa(bash.path ?? "", ["-c", program], { env })).stdout.split("\n");
      };
      expect(await ask("kubectl-kube_node ver")).toEqual(["verify"]);
      expect(await ask("kubectl-kube_node list --output=y")).toEqual(["yaml"]);
      expect(await ask("kubectl-kube_node annotate node-a ")).toEqual(["example.com/net1=", "node-b"]);
    },
  );

  const shells = [
    { name: "bash", tool: bash, check: "-n" },
    { name: "zsh", tool: zsh, check: "-n" },
    { name: "fish", tool: fish, check: "--no-execute" },
  ].map((shell) => ({ ...shell, lack: whatLacks(shell.tool) }));
  for (const { name, tool, check, lack } of shells)
    it.skipIf(lack.some)(`${name} understands its script${lack.words}`, async () => {
      const script = join(site.folder, `completion.${name}`);
      writeFileSync(script, (await run(["kube-node", "completion", name])).stdout);
      expect(await execa(tool.path ?? "", [check, script])).toMatchObject({ exitCode: 0, stderr: "" });
    });

  const zshLack = whatLacks(zsh);
  it.skipIf(zshLack.some)(`zsh completes kubectl-kube_node by its script${zshLack.words}`, async () => {
    const script = (await run(["kube-node", "completion", "zsh"])).stdout;
    const ask = async (...words: string[]) => {
      const program = `compdef() { :; }; _files() { print files; }; _describe() { print -rl -- "\${(P@)2}"; }
        ${script}
        words=(kubectl-kube_node ${words.map((word) => JSON.stringify(word)).join(" ")}); CURRENT=\${#words}
        _kubectl-kube_node`;
      const env = { PATH: path, KUBECONFIG: await site.kubeconfigFor({ kind: "admin" }) };
      return (await execa(zsh.path ?? "", ["-fc", program], { env })).stdout.split("\n");
    };
    expect(await ask("ver")).toEqual([expect.stringMatching(/^verify:Checks the whole cluster\\: ranges/)]);
    expect(await ask("annotate", "node-a", "")).toEqual(["example.com/net1=", "node-b"]);
    expect(await ask("list", "--kubeconfig", "")).toContain("files");
  });

  const fishLack = whatLacks(fish);
  it.skipIf(fishLack.some)(`fish completes kubectl-kube_node by its script${fishLack.words}`, async () => {
    const script = (await run(["kube-node", "completion", "fish"])).stdout;
    const env = { PATH: path, HOME: site.folder, KUBECONFIG: await site.kubeconfigFor({ kind: "admin" }) };
    const ask = async (line: string) => {
      const program = `${script}\ncomplete -C ${JSON.stringify(line)}`;
      return (await execa(fish.path ?? "", ["--no-config", "-c", program], { env })).stdout.split("\n");
    };
    expect(await ask("kubectl-kube_node ver")).toEqual([
      expect.stringMatching(/^verify\tChecks the whole cluster/),
    ]);
    expect(await ask("kubectl-kube_node annotate node-a ")).toEqual(["example.com/net1=", "node-b"]);
  });

  it("finds itself by a link of another folder", async () => {
    const folder = join(site.folder, "bin");
    mkdirSync(folder);
    const target = executables()[0]?.command("kubectl-kube_node")[0] ?? "";
    symlinkSync(target, join(folder, "kubectl-kube_node"));
    expect(existsSync(join(folder, "kubectl-kube_node"))).toBe(true);
    const { stdout } = await run(["kube-node", "list", "-o", "name"], {
      PATH: `${folder}${delimiter}/usr/bin`,
    });
    expect(stdout).toContain("node/node-a");
  });
});
