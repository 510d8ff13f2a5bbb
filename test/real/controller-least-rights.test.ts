// Each right of examples/controller/base is used: by the requests that a proxy saw while pools of both kinds lived their whole lives.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { poolKinds } from "../../src/api/pool-kind.ts";
import { type Controller, startController } from "../controller/parts/controller.ts";
import { makeFakeAgents } from "../controller/parts/fake-agents.ts";
import { type Asked, type FaultyProxy, startFaultyProxy } from "../controller/parts/faulty-proxy.ts";
import { type PoolCluster, startPoolCluster, until } from "../controller/parts/pool-cluster.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, whatLacks } from "../parts/tools.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

type Rule = { apiGroups: string[]; resources: string[]; verbs: string[] };

/** `group/resource verb` of each rule. */
function rightsOf(file: string): Set<string> {
  const text = readFileSync(join(checkout, "examples/controller/base", file), "utf8");
  const rules = parseAllDocuments(text).flatMap((one) => (one.toJS() as { rules?: Rule[] }).rules ?? []);
  return new Set(
    rules.flatMap(({ apiGroups: [group = ""], resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)),
    ),
  );
}

const verbs: Record<string, string> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

/** As the authorizer of the API server sees a request. */
function rightFor({ method, url }: Asked): string {
  const parts = url.pathname.split("/").slice(1);
  const [group, rest] = parts[0] === "api" ? ["", parts.slice(2)] : [parts[1] ?? "", parts.slice(3)];
  const [resource = "", name, subresource] = rest[0] === "namespaces" ? rest.slice(2) : rest;
  const isWatch = url.searchParams.get("watch") === "true";
  const verb = verbs[method] ?? (name !== undefined ? "get" : isWatch ? "watch" : "list");
  return `${group}/${resource}${subresource === undefined ? "" : `/${subresource}`} ${verb}`;
}

describe.skipIf(lack.some)(`rights of examples/controller/base${lack.words}`, () => {
  let cluster: PoolCluster;
  let proxy: FaultyProxy;
  let controller: Controller;
  let isOver = false;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    proxy = await startFaultyProxy(
      cluster.api,
      () => 1,
      () => {},
    );
    const args = [
      "--leader-elect=true",
      "--leader-elect-namespace=default",
      "--lease-duration=3s",
      "--identity=one",
    ];
    controller = startController({ kubeconfig: proxy.kubeconfig, args });
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await proxy?.close();
    await cluster?.close();
  });

  it("are each used, and no others are", async () => {
    const look = makeFakeAgents(cluster, 100);
    const agents = (async () => {
      for (; !isOver; await sleep(50)) await look().catch(() => {});
    })();
    const common = {
      ...{ blockReleaseDelay: "1100ms", blockHoldTime: "1s" },
      nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: "use", operator: "Exists" }] }] },
    };
    // One block each: the second Node has none, which is worth an event.
    await cluster.createPool("IPPool", "p", { subnet: "10.1.0.0/29", perNodeBlockSize: 6, ...common });
    await cluster.createPool("CIDRPool", "p", { cidr: "10.2.0.0/24", perNodeNetworkPrefix: 24, ...common });
    await cluster.api.createNode({ name: "n1", labels: { use: "" }, podCIDRs: ["10.9.0.0/24"] });
    for (const kind of poolKinds)
      await until(() => cluster.annotation("n1", "p", kind), `n1 has one of ${kind}`);
    await cluster.createNode("n2", { use: "" });
    await until(
      async () => (await controller.metric("kube_node_controller_events_total", 'result="sent"')) >= 2,
      "it is told that there is none for n2",
    );
    await cluster.patchNode("n1", { labels: { use: null } });
    for (const kind of poolKinds)
      await until(() => cluster.annotation("n2", "p", kind), `n2 has one of ${kind}`);
    await cluster.remove("/api/v1/nodes/n2");
    await until(async () => (await cluster.blocks()).length === 0, "all are free");
    await cluster.createNode("n2", { use: "" });
    for (const kind of poolKinds)
      await until(() => cluster.annotation("n2", "p", kind), `n2 has one of ${kind}`);
    for (const kind of poolKinds) await cluster.remove(poolPath(kind, "p"));
    for (const kind of poolKinds)
      await until(async () => !(await cluster.pool(kind, "p")), `${kind} is gone`);
    isOver = true;
    await agents;

    const used = new Set(proxy.asked.map(rightFor));
    const rights = rightsOf("controller-rights.yaml");
    // What is so for ten minutes is told again: its event is patched.
    rights.delete("events.k8s.io/events patch");
    expect([...used].sort()).toEqual([...rights].sort());
  }, 90_000);
});
