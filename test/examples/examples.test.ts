import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseAnnotation } from "../../src/api/annotation.ts";
import { parseAnnotationBody } from "../../src/api/annotation-body.ts";
import { parseNodeAnnotationConfig } from "../../src/api/node-annotation-config.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin, executables } from "../parts/plugin.ts";
import { checkout, hostLocals, whatLacks } from "../parts/tools.ts";

type Config = { name: string; cniVersion: string; ipam?: { type: string } & Record<string, unknown> };

const folder = join(checkout, "examples");
// The others have tests of their own.
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
  (file) => !/^(demo|agent|helm|krew|monitoring)\b/.test(file),
);
const documents = files.filter((file) => extname(file) !== "" && !file.endsWith(".md")).sort();
const [hostLocal] = hostLocals();
const lack = whatLacks(hostLocal ? {} : { missing: "host-local" });
const [executable] = executables();

/** The annotations that the examples and the README's commands set on the Node. */
const annotations = {
  "kube-node.nordix.org/net1": "172.20.2.0/24,fd00::2:0:0/96",
  "example.com/ipvlan-ranges": 'ranges: [[{subnet: "172.16.5.0/24"}]]',
};

function read(file: string): string {
  return readFileSync(join(folder, file), "utf8");
}

/** Every plugin configuration with ipam of ours that an example holds, as a runtime would send it. */
function configsOf(file: string): Config[] {
  if (file.endsWith(".conflist")) {
    const { name, cniVersion, plugins } = JSON.parse(read(file)) as Config & { plugins: Config[] };
    return plugins.filter(({ ipam }) => ipam).map((plugin) => ({ ...plugin, name, cniVersion }));
  }
  const document = parse(read(file).split("\n---\n")[0] ?? "") as {
    kind?: string;
    spec?: { config?: string };
  };
  return document.kind === "NetworkAttachmentDefinition"
    ? [JSON.parse(document.spec?.config ?? "") as Config]
    : [];
}

describe("examples", () => {
  let api: EmbeddedApiServer;
  const work = mkdtempSync(join(tmpdir(), "examples-"));
  const kubeconfig = join(work, "kubeconfig");

  beforeAll(async () => {
    api = await startEmbeddedApiServer();
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await api.createNode({
      name: "worker-1",
      machineID,
      podCIDRs: ["11.0.1.0/24", "1100:0:0:1::/64"],
      annotations,
    });
    writeFileSync(kubeconfig, await api.kubeconfigFor({ kind: "kubelet", node: "worker-1" }));
  });
  afterAll(async () => {
    await api.close();
    rmSync(work, { recursive: true });
  });

  it("are all loaded here", () => {
    const kinds = documents.map((file) => (configsOf(file).length > 0 ? "run" : file));
    expect(kinds.filter((kind) => kind !== "run").sort()).toEqual([
      "node-annotation/node-annotation.conf",
      "rbac/own-node.yaml",
    ]);
  });

  const runs = documents.flatMap((file) => configsOf(file).map((config) => ({ file, config })));
  it.skipIf(lack.some).each(runs)(`$file gives a pod its addresses${lack.words}`, async ({ config }) => {
    const program = config.ipam?.type as "kube-node" | "node-annotation";
    const network = { ...config, name: `examples-${process.pid}-${config.name}` };
    const own = program === "kube-node" ? { kubeconfig, dataDir: work } : {};
    const conf = join(work, "node-annotation.conf");
    writeFileSync(
      conf,
      JSON.stringify({ kubeconfig, nextipam: program === "kube-node" ? undefined : "cat" }),
    );
    const call = {
      command: executable?.command(program) ?? [],
      path: hostLocal?.folder ?? "",
      containerID: "c1",
      ifname: "eth0",
      netns: "/var/run/netns/none",
      env: { NODE_ANNOTATION_CFG: conf },
      stdin: { ...network, ipam: { ...config.ipam, ...own } },
    };
    if (program === "node-annotation") {
      const shown = await callPlugin({ command: call.command, env: call.env, stdin: call.stdin });
      expect(shown.json).toMatchObject({ ipam: { type: "cat", ranges: [[{ subnet: "172.16.5.0/24" }]] } });
      return;
    }
    const added = await callPlugin({
      ...call,
      verb: "ADD",
      args: "IgnoreUnknown=1;K8S_POD_NAMESPACE=old-application",
    });
    expect((added.json as { ips?: unknown[] }).ips, added.stdout).toHaveLength(2);
    expect(await callPlugin({ ...call, verb: "DEL" })).toMatchObject({ exitCode: 0, stdout: "" });
  });

  it("node-annotation.conf is a configuration of node-annotation's", () => {
    expect(Object.keys(parseNodeAnnotationConfig(read("node-annotation/node-annotation.conf")))).toEqual([
      "kubeconfig",
      "nextipam",
    ]);
  });
});

describe("the README", () => {
  const readme = readFileSync(join(checkout, "README.md"), "utf8");

  it("sets annotations that the plugins take, and shows forms that they take", () => {
    const set = [...readme.matchAll(/kubectl annotate node \S+ ([\w./-]+)=(?:'([^']*)'|(\S+))/g)];
    expect(set.map(([, key]) => key)).toEqual(expect.arrayContaining(Object.keys(annotations)));
    for (const [, , quoted, bare] of set) {
      if (quoted !== undefined) expect(parseAnnotationBody(quoted)).toHaveProperty("ranges");
      else expect(parseAnnotation(bare?.replaceAll("`", "") ?? "").ranges.length).toBeGreaterThan(0);
    }
    const table = readme.slice(readme.indexOf("| form | example |"), readme.indexOf("### node-annotation"));
    const forms = [...table.matchAll(/\| `(.*)` \|$/gm)].map(([, form = ""]) => parseAnnotation(form));
    expect(forms).toHaveLength(4);
  });

  it("names files that are there", () => {
    const links = [...readme.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)].map(([, path = ""]) => path);
    expect(links.length).toBeGreaterThan(5);
    for (const path of links) expect(() => readdirOrRead(join(checkout, path)), path).not.toThrow();
  });
});

function readdirOrRead(path: string): unknown {
  try {
    return readFileSync(path);
  } catch {
    return readdirSync(path);
  }
}

describe("the README's table of errors", () => {
  const readme = readFileSync(join(checkout, "README.md"), "utf8");
  const table = readme.slice(readme.indexOf("| code and words |"), readme.indexOf("A warning `API server"));
  const sources = readdirSync(join(checkout, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(checkout, "src", file), "utf8"))
    .join("\n");

  const words = [...table.matchAll(/^\| (\d+) (.*?) \|/gm)].flatMap(([, code, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => ({ code, text })),
  );

  it.each(words.filter(({ code }) => code !== "999"))("has words that the code has: $text", ({ text }) => {
    const pieces = text.split(/\b[KNXY]\b|…|host-local|10\.1\.2\.3/).map((piece) => piece.trim());
    for (const piece of pieces.filter((piece) => piece.length > 3))
      expect(sources).toContain(piece.replace(/,$/, ""));
  });

  it("covers a good part of them", () => expect(words.length).toBeGreaterThan(14));
});
