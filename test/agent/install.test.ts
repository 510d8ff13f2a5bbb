// What the agent puts onto the host, when it leaves things as they are, and what uninstall takes back.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { fileDigest } from "../../src/host/digest.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { send } from "../parts/https-request.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { privateMounts } from "../real/parts/private-mounts.ts";
import { type Host, makeHost, startAgent, until } from "./parts/agent.ts";
import { compiler } from "./parts/wall-clock.ts";

const agent = executables()[0]?.command("kube-node-agent")[0] as string;
const ownDigest = await fileDigest(agent);

/** The program as a person runs it, on that host. */
function runAgent(host: Host, command: string, args: string[] = []) {
  const flags = ["--node-name=n1", `--host-root=${host.root}`, ...args];
  return execa(agent, [command, ...flags], { reject: false, env: { KUBECONFIG: "", HOME: "/nowhere" } });
}

const alone = ["--credentials=none"];

/** A program that says it is that version of kube-node. */
function putVersion(host: Host, version: string): string {
  const path = join(host.bin, "kube-node");
  writeFileSync(path, `#!/bin/sh\necho "kube-node ${version}"\n`, { mode: 0o755 });
  return path;
}

describe("the executables", () => {
  it("are one file with two names, that runs and has our bytes; a second time nothing is touched", async () => {
    const host = makeHost();
    expect(await runAgent(host, "install", alone)).toMatchObject({ exitCode: 0 });
    expect(readdirSync(host.bin).sort()).toEqual(["kube-node", "node-annotation"]);
    const stats = ["kube-node", "node-annotation"].map((name) => statSync(join(host.bin, name)));
    expect(stats[0]?.ino).toBe(stats[1]?.ino);
    expect(await fileDigest(join(host.bin, "kube-node"))).toBe(ownDigest);
    expect((await execa(join(host.bin, "node-annotation"), ["-version"])).stdout).toMatch(
      /^node-annotation \d/,
    );
    expect(await runAgent(host, "install", alone)).toMatchObject({ exitCode: 0 });
    expect(statSync(join(host.bin, "kube-node"))).toMatchObject({
      ino: stats[0]?.ino,
      ctimeMs: stats[0]?.ctimeMs,
    });
  });

  it("replace an older version, while it runs, and never a later one unasked", async () => {
    const host = makeHost();
    putVersion(host, "0.0.1");
    expect(await runAgent(host, "install", alone)).toMatchObject({ exitCode: 0 });
    expect(await fileDigest(join(host.bin, "kube-node"))).toBe(ownDigest);

    const later = putVersion(host, "99.0.0");
    const answer = await runAgent(host, "install", alone);
    expect(answer).toMatchObject({ exitCode: 0 });
    expect(answer.stdout).toContain("is of the later version 99.0.0 and stays: --force replaces it");
    expect(readFileSync(later, "utf8")).toContain("99.0.0");
    expect(await runAgent(host, "install", [...alone, "--force"])).toMatchObject({ exitCode: 0 });
    expect(await fileDigest(later)).toBe(ownDigest);
  });

  it("never replace another program of that name unasked", async () => {
    const host = makeHost();
    writeFileSync(join(host.bin, "node-annotation"), "#!/bin/sh\necho 1\n", { mode: 0o755 });
    const answer = await runAgent(host, "install", alone);
    expect(answer).toMatchObject({ exitCode: 1 });
    expect(answer.stderr).toContain("is another program than this project's: --force replaces it");
    expect(readFileSync(join(host.bin, "node-annotation"), "utf8")).toContain("echo 1");
  });

  it("have nv-ipam's name only where that is asked for, keep the real one, and uninstall puts it back", async () => {
    const host = makeHost();
    const real = join(host.bin, "nv-ipam");
    writeFileSync(real, "#!/bin/sh\necho 'nv-ipam cni version:v1'\n", { mode: 0o755 });
    expect(await runAgent(host, "install", alone)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(real, "utf8")).toContain("cni version");
    const answer = await runAgent(host, "install", [...alone, "--nv-ipam"]);
    expect(answer).toMatchObject({ exitCode: 0 });
    expect(answer.stdout).toContain("nv-ipam's own");
    expect(await fileDigest(real)).toBe(ownDigest);
    expect(await runAgent(host, "install", [...alone, "--nv-ipam"])).toMatchObject({ exitCode: 0 });
    expect(readFileSync(`${real}.before-kube-node`, "utf8")).toContain("cni version");
    expect((await runAgent(host, "uninstall")).stdout).toContain("put back /opt/cni/bin/nv-ipam");
    expect(readFileSync(real, "utf8")).toContain("cni version");
    expect(readdirSync(host.bin)).toEqual(["nv-ipam"]);
  });

  const noCompiler = whatLacks(compiler());
  it.skipIf(noCompiler.some)(
    `are there at every moment while they are replaced, again and again, under the feet of starting pods${noCompiler.words}`,
    async () => {
      const host = makeHost();
      const old = join(host.root, "old.c");
      writeFileSync(old, '#include <stdio.h>\nint main(void) { puts("kube-node 0.0.1"); }\n');
      await runAgent(host, "install", alone);
      let busy = true;
      const calls: Promise<{ failed: number; count: number }> = (async () => {
        let [failed, count] = [0, 0];
        for (; busy; count++) {
          const { exitCode, stdout } = await execa(join(host.bin, "kube-node"), ["-version"], {
            reject: false,
          });
          if (exitCode !== 0 || !stdout.startsWith("kube-node ")) failed++;
        }
        return { failed, count };
      })();
      const before = join(host.root, "old");
      for (let round = 0; round < 4; round++) {
        // An older version takes the place in one step, as an agent of that version would have it. No script: its shell would open it a second time.
        await execa("cc", ["-o", before, old]);
        await execa("mv", ["-f", before, join(host.bin, "kube-node")]);
        expect(await runAgent(host, "install", alone)).toMatchObject({ exitCode: 0 });
      }
      busy = false;
      const { failed, count } = await calls;
      expect({ failed, any: count > 10 }).toEqual({ failed: 0, any: true });
    },
  );

  it("leave nothing of one that was killed half-way", async () => {
    const host = makeHost();
    writeFileSync(join(host.bin, ".kube-node.new-1-1"), "half");
    await runAgent(host, "install", alone);
    expect(readdirSync(host.bin).sort()).toEqual(["kube-node", "node-annotation"]);
  });

  const noMounts = whatLacks(privateMounts());
  it.skipIf(noMounts.some).each([
    ["bin", "full", "size=1m", "no room is left there (ENOSPC)"],
    ["bin", "read-only", "ro", "the folder is mounted read-only (EROFS)"],
    ["bin", "one where nothing may run", "noexec", "does not run here: is"],
    ["conf", "full", "size=4k,nr_inodes=1", "no room is left there (ENOSPC)"],
    ["conf", "read-only", "ro", "the folder is mounted read-only (EROFS)"],
  ] as const)(
    `leave no half of themselves where the host's folder %s is %s, and say so${noMounts.words}`,
    async (which, _, options, words) => {
      const { root, ...folders } = makeHost();
      const script = 'mount -t tmpfs -o "$1" none "$2"; shift 2; "$@" || true; ls -A "$0"';
      const flags = ["--node-name=n1", `--host-root=${root}`, ...alone];
      const folder = folders[which];
      const mounted = ["--mount", "sh", "-ec", script, folder, options, folder];
      const answer = await execa("unshare", [...mounted, agent, "install", ...flags], { reject: false });
      expect(answer.stderr).toContain(words);
      expect(answer.stdout).toBe("");
      expect(readdirSync(folders.bin)).toEqual([]);
    },
  );

  it("say so where the folder is absent", async () => {
    const host = makeHost();
    rmSync(host.bin, { recursive: true });
    const answer = await runAgent(host, "install", alone);
    expect(answer).toMatchObject({ exitCode: 1 });
    expect(answer.stderr).toContain("absent: is the host's folder mounted? (ENOENT)");
  });
});

describe("the CNI configuration", () => {
  const network = {
    cniVersion: "1.0.0",
    name: "net1",
    plugins: [{ type: "bridge", ipam: { type: "kube-node" } }],
  };
  const write = (host: Host, value: unknown = network) => {
    const path = join(host.root, "10-net1.conflist");
    writeFileSync(path, JSON.stringify(value));
    return [...alone, `--cni-config=${path}`];
  };
  const read = (host: Host) => readFileSync(join(host.conf, "10-net1.conflist"), "utf8");

  it("is written where there is none, and follows its source", async () => {
    const host = makeHost();
    await runAgent(host, "install", write(host));
    expect(JSON.parse(read(host))).toEqual(network);
    await runAgent(host, "install", write(host, { ...network, name: "net2" }));
    expect(JSON.parse(read(host))).toMatchObject({ name: "net2" });
  });

  it("comes by a file that is written and renamed in that folder: containerd passes over what comes in from another", async () => {
    const host = makeHost();
    const seen: string[] = [];
    const watcher = watch(host.conf, (event, name) => void seen.push(`${event} ${name}`));
    onTestFinished(() => watcher.close());
    await runAgent(host, "install", write(host));
    await until(() => seen.includes("rename 10-net1.conflist"), "it is seen");
    expect(seen.filter((one) => /^rename \.kube-node\.new-/.test(one))).toHaveLength(2); // Made, and renamed.
    expect(seen.some((one) => /^change \.kube-node\.new-/.test(one))).toBe(true);
  });

  it("never takes the place of one that isn't ours, or was changed by somebody", async () => {
    const host = makeHost();
    writeFileSync(join(host.conf, "10-net1.conflist"), "theirs");
    const answer = await runAgent(host, "install", write(host));
    expect(answer.stdout).toContain(
      "/etc/cni/net.d/10-net1.conflist is there already, is not ours, and stays as it is",
    );
    expect(read(host)).toBe("theirs");

    const linked = makeHost();
    symlinkSync("/nowhere/from/here", join(linked.conf, "10-net1.conflist"));
    expect((await runAgent(linked, "install", write(linked))).stdout).toContain("is not ours, and stays");
    expect((await runAgent(linked, "uninstall")).exitCode).toBe(0);
    expect(readlinkSync(join(linked.conf, "10-net1.conflist"))).toBe("/nowhere/from/here");

    const other = makeHost();
    await runAgent(other, "install", write(other));
    writeFileSync(join(other.conf, "10-net1.conflist"), "changed");
    const again = await runAgent(other, "install", write(other));
    expect(again.stdout).toContain("was changed since it was installed, and stays as it is");
    expect(read(other)).toBe("changed");
  });

  it.each([
    ["no JSON", "{", "expected a CNI network configuration"],
    ["no network", { type: "bridge" }, "expected a CNI network configuration"],
  ])("is refused where it is %s", async (_, value, words) => {
    const host = makeHost();
    const args = write(host, value);
    if (value === "{") writeFileSync(join(host.root, "10-net1.conflist"), "{");
    const answer = await runAgent(host, "install", args);
    expect(answer).toMatchObject({ exitCode: 1 });
    expect(answer.stderr).toContain(words);
    expect(readdirSync(host.conf)).not.toContain("10-net1.conflist");
  });
});

describe("uninstall", () => {
  it("takes back exactly what was installed", async () => {
    const host = makeHost();
    writeFileSync(join(host.conf, "10-other.conflist"), "theirs");
    copyFileSync("/bin/true", join(host.bin, "bridge"));
    const config = join(host.root, "20-ours.conflist");
    writeFileSync(config, '{"name": "a", "type": "bridge"}');
    await runAgent(host, "install", [...alone, `--cni-config=${config}`]);
    const answer = await runAgent(host, "uninstall");
    expect(answer).toMatchObject({ exitCode: 0 });
    expect(answer.stdout.split("\n")).toEqual([
      "removed /etc/cni/net.d/20-ours.conflist",
      "removed /opt/cni/bin/node-annotation",
      "removed /opt/cni/bin/kube-node",
    ]);
    expect(readdirSync(host.bin)).toEqual(["bridge"]);
    expect(readdirSync(host.conf)).toEqual(["10-other.conflist"]);
    expect(existsSync(host.run)).toBe(false);
    expect(await runAgent(host, "uninstall")).toMatchObject({ exitCode: 0, stdout: "" });
  });

  it("leaves what somebody changed, and says so", async () => {
    const host = makeHost();
    await runAgent(host, "install", alone);
    putVersion(host, "0.0.1");
    rmSync(join(host.bin, "node-annotation"));
    const answer = await runAgent(host, "uninstall");
    expect(answer).toMatchObject({
      exitCode: 1,
      stdout: "left /opt/cni/bin/kube-node: it was changed since it was installed",
    });
    expect(readdirSync(host.bin)).toEqual(["kube-node"]);
  });

  it("changes nothing where a later version has installed", async () => {
    const host = makeHost();
    await runAgent(host, "install", alone);
    writeFileSync(join(host.conf, "kube-node.d/installed.json"), '{"version": 2, "things": []}');
    for (const command of ["install", "uninstall"]) {
      const answer = await runAgent(host, command, alone);
      expect(answer).toMatchObject({ exitCode: 1 });
      expect(answer.stderr).toContain(
        "is of a later version of kube-node-agent (format 2, this one knows 1): nothing is changed here",
      );
    }
    expect(existsSync(join(host.bin, "kube-node"))).toBe(true);
  });

  it("nor does an agent that runs: it says so once, and tries again when that may be mended", async () => {
    const host = makeHost();
    mkdirSync(join(host.conf, "kube-node.d"));
    const state = join(host.conf, "kube-node.d/installed.json");
    writeFileSync(state, '{"version": 2, "things": []}');
    const kubeconfig = host.path("kubeconfig");
    writeFileSync(kubeconfig, "{}", { mode: 0o600 });
    const running = startAgent({ host, node: "n1", kubeconfig, args: alone });
    const { reason } = await running.said("the plugins can't be installed");
    expect(reason).toContain("is of a later version of kube-node-agent (format 2, this one knows 1)");
    expect((await running.get("/readyz")).text).toContain("[-] install: ");
    expect((await running.get("/healthz")).status).toBe(200);
    await sleep(3000); // Its second try is within a second, its third within two more.
    expect(running.lines().filter(({ msg }) => msg === "the plugins can't be installed")).toHaveLength(1);
    expect([readdirSync(host.bin), readFileSync(state, "utf8")]).toEqual([
      [],
      '{"version": 2, "things": []}',
    ]);
    rmSync(state);
    await running.said("the plugins are installed");
    expect(readdirSync(host.bin).sort()).toEqual(["kube-node", "node-annotation"]);
  }, 30_000);
});

const noServer = reasonForNoRealApiServer();
const lack = whatLacks(noServer === undefined ? {} : { missing: noServer });

describe.skipIf(lack.some)(`the plugin's credentials${lack.words}`, () => {
  const account = {
    kind: "serviceAccount",
    namespace: "kube-system",
    name: "kube-node-agent",
    mayRead: "all",
  } as const;
  let server: ApiServer;
  let folder: string;
  let kubeconfig: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "credentials-"));
    server = await startRealApiServer();
    await server.createNode({
      name: "n1",
      podCIDRs: ["10.1.0.0/24"],
      machineID: readFileSync("/etc/machine-id", "utf8").trim(),
    });
    kubeconfig = join(folder, "agent");
    writeFileSync(kubeconfig, await server.kubeconfigFor(account), { mode: 0o600 });
    await mayRequestTokens();
  }, 90_000);
  afterAll(async () => {
    await server?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** The one right that the agent needs for it: tokens of its own account. */
  async function mayRequestTokens() {
    const credentials = await server.credentialsFor({ kind: "admin" });
    const post = (path: string, body: object) =>
      send({ url: server.url, authority: server.authority, credentials }, { method: "POST", path, body });
    const metadata = { name: "agent-token", namespace: "kube-system" };
    const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system";
    const rules = [
      {
        apiGroups: [""],
        resources: ["serviceaccounts/token"],
        verbs: ["create"],
        resourceNames: ["kube-node-agent"],
      },
    ];
    await post(`${roles}/roles`, { metadata, rules });
    const subjects = [{ kind: "ServiceAccount", namespace: "kube-system", name: "kube-node-agent" }];
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "agent-token" };
    await post(`${roles}/rolebindings`, { metadata, roleRef, subjects });
  }

  const claimsOf = (path: string) =>
    JSON.parse(Buffer.from(readFileSync(path, "utf8").split(".")[1] ?? "", "base64url").toString()) as {
      exp: number;
      iat: number;
      sub: string;
      "kubernetes.io": { node?: { name: string; uid: string } };
    };

  it("are a token that is bound to the Node, 0600, which works and ends with the Node; renewed when it is another Node", async () => {
    const host = makeHost();
    const running = startAgent({ host, node: "n1", kubeconfig });
    const path = join(host.conf, "kube-node.d/kubeconfig");
    await until(
      () => existsSync(path),
      () => `there is a kubeconfig; the agent said ${JSON.stringify(running.lines())}`,
    );
    await running.said("the plugins are installed");
    const token = join(host.conf, "kube-node.d/token");
    for (const file of [path, token]) expect(statSync(file).mode & 0o777).toBe(0o600);
    const claims = claimsOf(token);
    const node = await server.getNode("n1");
    expect(claims.sub).toBe("system:serviceaccount:kube-system:kube-node-agent");
    expect(claims["kubernetes.io"].node).toEqual({ name: "n1", uid: node?.metadata.uid });
    expect(claims.exp - claims.iat).toBeGreaterThan(24 * 3600);

    const ask = async () => {
      const credentials = { token: readFileSync(token, "utf8").trim() };
      return (
        await send(
          { url: server.url, authority: server.authority, credentials },
          { path: "/api/v1/nodes/n1" },
        )
      ).status;
    };
    expect(await ask()).toBe(200);
    expect(JSON.parse(readFileSync(path, "utf8")).users[0].user.tokenFile).toBe(
      "/etc/cni/net.d/kube-node.d/token",
    );
    expect((await running.get("/readyz")).text).toContain(
      "[+] install: the plugin uses /etc/cni/net.d/kube-node.d/kubeconfig",
    );

    await server.deleteNode("n1");
    await until(() => !existsSync(join(host.run, "node.json")), "the Node is gone");
    await server.createNode({ name: "n1", machineID: readFileSync("/etc/machine-id", "utf8").trim() });
    const uid = (await server.getNode("n1"))?.metadata.uid;
    await until(
      () => claimsOf(token)["kubernetes.io"].node?.uid === uid,
      "the token is bound to the new Node",
    );
    expect(await ask()).toBe(200);
    expect(await running.stop()).toBe(0);

    const answer = await runAgent(host, "uninstall");
    expect(answer).toMatchObject({ exitCode: 0 });
    expect(readdirSync(host.conf)).toEqual([]);
  }, 60_000);

  it("are renewed when two thirds of their life are over, and left before that", async () => {
    const host = makeHost();
    const flags = [`--kubeconfig=${kubeconfig}`, "--credentials=token"];
    expect(await runAgent(host, "install", flags)).toMatchObject({ exitCode: 0 });
    const token = join(host.conf, "kube-node.d/token");
    const first = readFileSync(token, "utf8");
    await runAgent(host, "install", flags);
    expect(readFileSync(token, "utf8")).toBe(first);

    const [head, , tail] = first.trim().split(".");
    const claims = claimsOf(token);
    const old = { ...claims, iat: claims.iat - 3600 * 60, exp: claims.exp - 3600 * 60 };
    writeFileSync(token, `${head}.${Buffer.from(JSON.stringify(old)).toString("base64url")}.${tail}\n`);
    await runAgent(host, "install", flags);
    expect(claimsOf(token).iat).toBeGreaterThanOrEqual(claims.iat);
  });

  it("are the kubelet's where those can be seen: no token is asked for", async () => {
    const host = makeHost();
    mkdirSync(host.path("etc/kubernetes"));
    writeFileSync(
      host.path("etc/kubernetes/kubelet.conf"),
      await server.kubeconfigFor({ kind: "kubelet", node: "n1" }),
    );
    const answer = await runAgent(host, "install");
    expect(answer).toMatchObject({ exitCode: 0 });
    expect(answer.stdout).toContain("the plugin uses the kubelet's /etc/kubernetes/kubelet.conf");
    expect(readdirSync(join(host.conf, "kube-node.d")).sort()).toEqual(["installed.json", "kubeconfig"]);
  });

  it("can't be had where the right is missing: the words say which, the agent goes on and follows its Node", async () => {
    const host = makeHost();
    const text = await server.kubeconfigFor({ ...account, name: "without" });
    const path = join(folder, "without");
    writeFileSync(path, text, { mode: 0o600 });
    const running = startAgent({ host, node: "n1", kubeconfig: path });
    const { reason } = await running.said("the plugins can't be installed");
    await until(() => existsSync(join(host.run, "alive")), "the Node is followed");
    await running.said('cannot create resource "serviceaccounts/token"');
    expect(reason).toBeTruthy();
  });
});
