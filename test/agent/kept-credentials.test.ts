// What a running agent does for the plugin's credentials: it renews and mends them, and the plugin can use them when the agent is gone.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { readText } from "../../src/host/files.ts";
import { createAuthority } from "../parts/certificates.ts";
import { callPlugin, executables } from "../parts/plugin.ts";
import { hostLocals, whatLacks } from "../parts/tools.ts";
import { withMounts } from "../real/parts/private-mounts.ts";
import { type Host, makeHost, startAgent, toldNode, until } from "./parts/agent.ts";
import { lack as noNode, useServer } from "./parts/own-server.ts";
import { compiler, makeWallClock } from "./parts/wall-clock.ts";

const own = useServer();
const noCompiler = whatLacks(compiler());
const lack = { some: noNode.some || noCompiler.some, words: `${noNode.words}${noCompiler.words}` };
const hours = 3600;

/** The agent's kubeconfig: an admin's here. */
async function makeAccess(folder: string, authority?: string): Promise<string> {
  const path = join(folder, "agent.kubeconfig");
  const text = await own.server.kubeconfigFor(
    { kind: "admin" },
    authority === undefined ? {} : { authority },
  );
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** "" where there is none. */
const read = (host: Host, name: string) => readText(join(host.conf, "kube-node.d", name)) ?? "";

/** The plugin as a runtime on that host calls it, with the credentials that lie there, and nothing to be heard of an agent. */
async function add(host: Host, node: string, containerID: string): Promise<string> {
  const places = { "/etc": host.path("etc"), "/run": host.path("no-agents-word") };
  const ipam = {
    type: "kube-node",
    dataDir: host.path("data"),
    kubeconfig: "/etc/cni/net.d/kube-node.d/kubeconfig",
    nodeName: node,
    annotation: "ranges",
  };
  for (const folder of ["data", "no-agents-word"]) mkdirSync(host.path(folder));
  const answer = await callPlugin({
    command: withMounts(places, executables()[0]?.command("kube-node") ?? []),
    verb: "ADD",
    containerID,
    ifname: "eth0",
    netns: "/var/run/netns/none",
    path: hostLocals()[0]?.folder ?? "",
    stdin: { cniVersion: "1.0.0", name: "net1", type: "bridge", ipam },
  });
  const { ips, msg } = answer.json as { ips?: { address: string }[]; msg?: string };
  return ips?.[0]?.address ?? `${msg}`;
}

describe.skipIf(lack.some)(`the plugin's credentials${lack.words}`, () => {
  it("are renewed in time, mended, trust a new authority, and outlive the agent", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kept-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const account = { kind: "serviceAccount", namespace: "default", name: "plugin", mayRead: "all" } as const;
    await own.server.credentialsFor(account);
    const host = makeHost();
    const node = "kept";
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await own.server.createNode({ name: node, annotations: { ranges: "10.1.0.0/24" }, machineID });
    const clock = makeWallClock(folder);
    const args = ["--credentials=token", "--plugin-account=default/plugin"];
    const kubeconfig = await makeAccess(folder);
    const agent = startAgent({ host, node, kubeconfig, args, env: clock.env });
    await agent.said("the plugins are installed");
    const first = read(host, "token");

    let looks = 0;
    /** The agent looks at what is installed when its Node is another, too. */
    const look = async () => {
      const value = String(++looks);
      await own.server.setAnnotation(node, "look", value);
      await until(() => toldNode(host)?.annotations["look"] === value, "the Node is told");
      await sleep(500);
    };
    clock.shift(40 * hours);
    await look();
    expect(read(host, "token")).toBe(first);
    clock.shift(48 * hours); // Two thirds of 72: a day before it ends.
    await look();
    await until(() => read(host, "token") !== first, "it is renewed", 10_000);
    clock.shift(0);

    for (const name of ["token", "kubeconfig"]) rmSync(join(host.conf, "kube-node.d", name));
    await look();
    await until(() => read(host, "token") !== "" && read(host, "kubeconfig") !== "", "they are there again");

    // An authority is replaced by way of a bundle: what both sign is believed meanwhile.
    const { certificate } = await createAuthority("the next one");
    await makeAccess(folder, `${own.server.authority}\n${certificate}`);
    await look();
    const trusted = () => {
      const cluster = JSON.parse(read(host, "kubeconfig")).clusters[0].cluster;
      return Buffer.from(cluster["certificate-authority-data"], "base64").toString();
    };
    await until(() => trusted().includes(certificate.trim()), "both authorities are trusted");

    agent.kill("SIGKILL");
    await agent.exited;
    expect(await add(host, node, "a")).toBe("10.1.0.2/24");
  }, 90_000);

  it("are renewed in time by a machine whose clock is set back, too", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kept-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await own.server.credentialsFor({
      kind: "serviceAccount",
      namespace: "default",
      name: "plugin",
      mayRead: "all",
    });
    const host = makeHost();
    const node = "set-back";
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await own.server.createNode({ name: node, machineID });
    const clock = makeWallClock(folder);
    // The agent's /proc/uptime is a file of the test's.
    const uptime = join(folder, "uptime");
    writeFileSync(uptime, "1000.00 1000.00\n");
    const script = 'mount --bind "$0" /proc/uptime && exec "$@"';
    const agent = startAgent({
      host,
      node,
      kubeconfig: await makeAccess(folder),
      args: ["--credentials=token", "--plugin-account=default/plugin"],
      env: clock.env,
      wrap: (command) => ["unshare", "--mount", "sh", "-c", script, uptime, ...command],
    });
    await agent.said("the plugins are installed");
    const first = read(host, "token");
    const look = async (value: string) => {
      await own.server.setAnnotation(node, "look", value);
      await until(() => toldNode(host)?.annotations["look"] === value, "the Node is told");
      await sleep(500);
    };
    clock.shift(-30 * hours);
    await look("1"); // It is seen for the first time.
    writeFileSync(uptime, `${1000 + 40 * hours}.00 1000.00\n`);
    clock.shift(10 * hours);
    await look("2");
    expect(read(host, "token")).toBe(first);
    writeFileSync(uptime, `${1001 + 48 * hours}.00 1000.00\n`);
    clock.shift(18 * hours);
    await look("3");
    await until(() => read(host, "token") !== first, "it is renewed", 10_000);
  }, 60_000);

  it("are the kubelet's by the same name, once those can be seen: the token is no more, and the agent may be away", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kept-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const host = makeHost();
    const node = "kubelets";
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await own.server.createNode({ name: node, annotations: { ranges: "10.1.0.0/24" }, machineID });
    const args = ["--plugin-account=default/plugin"];
    const start = async () => {
      const agent = startAgent({ host, node, kubeconfig: await makeAccess(folder), args });
      await agent.said("the plugins are installed");
      return agent;
    };
    await own.server.credentialsFor({
      kind: "serviceAccount",
      namespace: "default",
      name: "plugin",
      mayRead: "all",
    });
    expect(await (await start()).stop()).toBe(0);
    expect(read(host, "token")).not.toBe("");

    // As kubeadm has it, but for a path that is the file's own folder's.
    const place = host.path("etc/kubernetes");
    mkdirSync(place);
    const text = await own.server.kubeconfigFor({ kind: "kubelet", node }, { folder: place });
    writeFileSync(join(place, "kubelet.conf"), text.replaceAll(`${place}/`, ""), { mode: 0o600 });
    const agent = await start();
    expect((await agent.get("/readyz")).text).toContain("uses the kubelet's /etc/kubernetes/kubelet.conf");
    expect(read(host, "token")).toBe("");
    expect(read(host, "kubeconfig")).toContain("/etc/kubernetes/client.pem");
    agent.kill("SIGKILL");
    await agent.exited;
    expect(await add(host, node, "a")).toBe("10.1.0.2/24");

    const flags = ["--node-name=n1", `--host-root=${host.root}`];
    const program = executables()[0]?.command("kube-node-agent")[0] as string;
    await execa(program, ["uninstall", ...flags]);
    expect([readdirSync(host.conf), readdirSync(host.bin), existsSync(host.run)]).toEqual([[], [], false]);
    expect(readText(join(place, "kubelet.conf"))).toContain("client.pem");
  }, 60_000);
});
