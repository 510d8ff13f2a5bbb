import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { heldBlocksKey } from "../../src/api/held-blocks.ts";
import { adminClient } from "../parts/admin-client.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { send } from "../parts/https-request.ts";
import { formatKubeconfig } from "../parts/kubeconfig.ts";
import { installPoolResources, poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing ? { missing } : {}, kubectl());
const base = join(checkout, "examples/agent/base");
const forbidden = /forbidden/i;
const time = "2026-01-01T00:00:00.000000Z";
const seen = (count: number) => ({ series: { count, lastObservedTime: time } });

describe.skipIf(lack.some)(`what the agent of node-a may do, by examples/agent/base${lack.words}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "agent-rights-"));
  let api: ApiServer;

  beforeAll(async () => {
    api = await startRealApiServer();
    for (const name of ["node-a", "node-b"]) await api.createNode({ name, podCIDRs: [] });
    writeFileSync(join(folder, "admin"), await api.kubeconfigFor({ kind: "admin" }));
    const admin = await adminClient(api);
    await installPoolResources(admin);
    for (const name of ["node-a", "node-b"]) await admin.create(poolPath("NodeBlock"), blockOf(name));
    admin.close();
    await kube("admin", ["apply", "-k", base]);
    await kube("admin", ["create", "-f", "-"], agentPod("node-a"));
    const bound = ["--bound-object-kind=Pod", "--bound-object-name=agent-of-node-a"];
    await logIn("agent", ["kube-node-agent", ...bound]);
    await logIn("unbound", ["kube-node-agent"]);
    await policiesHold();
  }, 90_000);
  afterAll(async () => {
    await api?.close();
    rmSync(folder, { recursive: true });
  });

  async function kube(who: string, words: string[], input?: object): Promise<string> {
    const flags = [`--kubeconfig=${join(folder, who)}`, `--cache-dir=${join(folder, "cache")}`];
    const { stdout } = await execa(kubectl().path ?? "", [...flags, ...words], {
      input: input ? JSON.stringify(input) : "",
    });
    return stdout;
  }

  /** "done", or what the API server said. */
  async function outcome(who: string, words: string[], input?: object): Promise<string> {
    return await kube(who, words, input).then(
      () => "done",
      (error: { stderr: string }) => error.stderr,
    );
  }

  async function logIn(who: string, words: string[]): Promise<void> {
    const token = await kube("admin", ["create", "token", "--namespace=kube-node", ...words]);
    await logInWith(who, token);
  }

  async function logInWith(who: string, token: string): Promise<void> {
    writeFileSync(
      join(folder, who),
      await formatKubeconfig({ url: api.url, authority: api.authority }, { token }),
    );
  }

  /** RBAC and policies count some moments after they were made. */
  async function policiesHold(): Promise<void> {
    const event = ["create", "--dry-run=server", "-f", "-"];
    await vi.waitFor(
      async () => {
        expect(await outcome("agent", event, eventOf("Node", "node-a"))).toBe("done");
        expect(await outcome("agent", ["get", "node", "node-a"])).toBe("done");
        expect(await outcome("unbound", event, eventOf("Node", "node-a"))).toMatch(forbidden);
        expect(await outcome("unbound", tokenFor("kube-node-plugin", []))).toMatch(forbidden);
        expect(await outcome("unbound", [...tellUsed("node-a"), "--dry-run=server"])).toMatch(
          /Node "" writes/,
        );
        expect(await outcome("unbound", ["annotate", "--dry-run=server", "node", "node-a", "a=b"])).toMatch(
          /Node "" writes/,
        );
      },
      { timeout: 45_000, interval: 500 },
    );
  }

  it.each([
    ["its own Node", ["get", "node", "node-a"]],
    ["a watch of its own Node", ["get", "nodes", "--field-selector=metadata.name=node-a"]],
    ["the pods of its Node", ["get", "pods", "-A", "--field-selector=spec.nodeName=node-a"]],
  ])("reads %s", async (_, words) => expect(await outcome("agent", words)).toBe("done"));

  it("writes an event of its own Node, and counts it on", async () => {
    expect(await outcome("agent", ["create", "-f", "-"], eventOf("Node", "node-a"))).toBe("done");
    expect(await rawPatch("agent", "node-node-a", seen(2))).toBe(200);
    const path = ["-o", "jsonpath={.series.count}"];
    expect(await kube("admin", ["get", "event", "node-node-a", "--namespace=default", ...path])).toBe("2");
  });

  it("tells of its own Node's blocks, and takes its Node's annotation of what it holds on and off", async () => {
    expect(await outcome("agent", tellUsed("node-a"))).toBe("done");
    expect(
      await kube("admin", ["get", "nodeblock", "ippool.node-a.0", "-o", "jsonpath={.status.used}"]),
    ).toBe("3");
    expect(await outcome("agent", ["get", "nodeblock", "ippool.node-b.0", "--subresource=status"])).toBe(
      "done",
    );
    for (const change of [`${heldBlocksKey}=[]`, `${heldBlocksKey}-`])
      expect(await outcome("agent", ["annotate", "node", "node-a", change])).toBe("done");
  });

  it("gets a token for the plugin that is bound to its own Node, with which that Node can be read and nothing else", async () => {
    const token = await kube("agent", tokenFor("kube-node-plugin", boundTo("node-a")));
    await logInWith("plugin", token);
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as object;
    expect(claims).toMatchObject({ "kubernetes.io": { node: { name: "node-a" } } });
    expect(await outcome("plugin", ["get", "node", "node-a"])).toBe("done");
    for (const words of [
      ["get", "nodes"],
      ["get", "pods", "-A"],
      ["get", "secrets", "-A"],
    ])
      expect(await outcome("plugin", words), words.join(" ")).toMatch(forbidden);
    expect(await outcome("plugin", tokenFor("kube-node-plugin", boundTo("node-a")))).toMatch(forbidden);
    expect(await outcome("plugin", ["create", "-f", "-"], eventOf("Node", "node-a"))).toMatch(forbidden);
  });

  it.each([
    [
      "an event of another Node",
      ["create", "-f", "-"],
      eventOf("Node", "node-b"),
      /writes events of that Node alone/,
    ],
    [
      "an event of a pod",
      ["create", "-f", "-"],
      eventOf("Pod", "node-a"),
      /writes events of that Node alone/,
    ],
    [
      "an event in another namespace",
      ["create", "-f", "-"],
      eventOf("Node", "node-a", "kube-system"),
      forbidden,
    ],
    [
      "the plugin's token bound to another Node",
      tokenFor("kube-node-plugin", boundTo("node-b")),
      undefined,
      /bound to that Node alone/,
    ],
    [
      "the plugin's token bound to nothing",
      tokenFor("kube-node-plugin", []),
      undefined,
      /bound to that Node alone/,
    ],
    [
      "a token of its own ServiceAccount",
      tokenFor("kube-node-agent", boundTo("node-a")),
      undefined,
      forbidden,
    ],
    [
      "a token of another ServiceAccount",
      ["create", "token", "default", "--namespace=kube-system"],
      undefined,
      forbidden,
    ],
    ["secrets", ["get", "secrets", "-A"], undefined, forbidden],
    ["a ConfigMap", ["get", "configmaps", "--namespace=kube-node"], undefined, forbidden],
    ["another Node's block", tellUsed("node-b"), undefined, /writes of that Node's blocks alone/],
    [
      "that its block's Node is gone",
      patchOf("nodeblock", "ippool.node-a.0", { status: { nodeGoneAt: time } }, "status"),
      undefined,
      /the controller says/,
    ],
    [
      "a block's spec",
      patchOf("nodeblock", "ippool.node-a.0", { spec: { closing: true } }),
      undefined,
      forbidden,
    ],
    ["a block deleted", ["delete", "nodeblock", "ippool.node-a.0"], undefined, forbidden],
    ["blocks listed", ["get", "nodeblocks"], undefined, forbidden],
    ["its own Node's other annotations", ["annotate", "node", "node-a", "a=b"], undefined, /held alone/],
    [
      "what another Node holds",
      ["annotate", "node", "node-b", `${heldBlocksKey}=[]`],
      undefined,
      /writes of that Node alone/,
    ],
    ["its own Node's labels", ["label", "node", "node-a", "a=b"], undefined, /held alone/],
    [
      "its own Node cordoned",
      patchOf("node", "node-a", { spec: { unschedulable: true } }),
      undefined,
      /held alone/,
    ],
    [
      "its own Node's status",
      patchOf("node", "node-a", { status: { phase: "x" } }, "status"),
      undefined,
      forbidden,
    ],
    ["a pod by name", ["get", "pod", "agent-of-node-a", "--namespace=kube-node"], undefined, forbidden],
    ["a pod deleted", ["delete", "pod", "agent-of-node-a", "--namespace=kube-node"], undefined, forbidden],
    [
      "the policy that holds it, deleted",
      ["delete", "validatingadmissionpolicy", "kube-node-agent-events"],
      undefined,
      forbidden,
    ],
  ] as [string, string[], object | undefined, RegExp][])("is refused %s", async (_, words, input, said) => {
    expect(await outcome("agent", words, input)).toMatch(said);
  });

  it("is refused another Node's event, also where that is there already", async () => {
    await kube("admin", ["create", "-f", "-"], eventOf("Node", "node-b"));
    expect(await rawPatch("agent", "node-node-b", seen(7))).toBe(403);
    // What an event is about can't be changed by anybody (422); the policy would refuse it, too.
    expect(await rawPatch("agent", "node-node-b", { regarding: { name: "node-a" } })).toBe(422);
  });

  it("with a token that names no Node is refused every write", async () => {
    expect(await outcome("unbound", ["create", "-f", "-"], eventOf("Node", "node-a"))).toMatch(
      /Node "" writes/,
    );
    expect(await outcome("unbound", tokenFor("kube-node-plugin", boundTo("node-a")))).toMatch(/Node "" asks/);
  });

  it("holds nobody else back", async () => {
    expect(await outcome("admin", ["create", "-f", "-"], eventOf("Pod", "some"))).toBe("done");
    expect(await outcome("admin", tokenFor("kube-node-plugin", []))).toBe("done");
  });

  async function rawPatch(who: string, event: string, change: object): Promise<number> {
    const token = await kube(who, ["config", "view", "--raw", "-o", "jsonpath={.users[0].user.token}"]);
    const answer = await send(
      { url: api.url, authority: api.authority, credentials: { token } },
      {
        method: "PATCH",
        path: `/apis/events.k8s.io/v1/namespaces/default/events/${event}`,
        body: change,
        headers: { "content-type": "application/merge-patch+json" },
      },
    );
    return answer.status;
  }
});

function patchOf(kind: string, name: string, change: object, subresource?: string): string[] {
  const words = ["patch", kind, name, "--type=merge", `--patch=${JSON.stringify(change)}`];
  return subresource === undefined ? words : [...words, `--subresource=${subresource}`];
}

function tellUsed(node: string): string[] {
  return patchOf("nodeblock", `ippool.${node}.0`, { status: { used: 3, seenAt: time } }, "status");
}

function blockOf(nodeName: string): object {
  const pool = { kind: "IPPool", name: nodeName, uid: "p" };
  const spec = { pool, index: "0", first: "10.1.0.1", last: "10.1.0.9", nodeName, nodeUID: "u" };
  return {
    apiVersion: "ipam.kube-node.io/v1alpha1",
    kind: "NodeBlock",
    metadata: { name: `ippool.${nodeName}.0` },
    spec,
  };
}

function boundTo(node: string): string[] {
  return ["--bound-object-kind=Node", `--bound-object-name=${node}`];
}

function tokenFor(account: string, bound: string[]): string[] {
  return ["create", "token", account, "--namespace=kube-node", ...bound];
}

/** As the DaemonSet would make it; nobody runs it here. */
function agentPod(nodeName: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `agent-of-${nodeName}`, namespace: "kube-node" },
    spec: {
      nodeName,
      serviceAccountName: "kube-node-agent",
      priorityClassName: "system-node-critical",
      containers: [{ name: "agent", image: "kube-node-ipam:0.1.0" }],
    },
  };
}

/** As the agent writes them. */
function eventOf(kind: string, name: string, namespace = "default"): object {
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: `${kind}-${name}`.toLowerCase(), namespace },
    regarding: { apiVersion: "v1", kind, name, ...(kind !== "Node" && { namespace }) },
    eventTime: time,
    reportingController: "kube-node.io/agent",
    reportingInstance: "node-a",
    action: "WatchRanges",
    reason: "RangeFull",
    note: "a test",
    type: "Warning",
  };
}
