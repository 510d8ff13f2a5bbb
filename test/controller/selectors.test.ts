// A pool's nodeSelector with each operator, on labels and on names: who gets a block, and who gives it back when a label changes.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

const expression = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
});
const name = (operator: string, value: string) => ({
  matchFields: [{ key: "metadata.name", operator, values: [value] }],
});

/** Terms, and the Nodes that they select: n1 in rack a and slot 1, n2 in rack b and slot 10, n3 without labels. */
const cases: Record<string, { terms: object[]; nodes: string[] }> = {
  in: { terms: [expression("rack", "In", "a", "c")], nodes: ["n1"] },
  "not-in": { terms: [expression("rack", "NotIn", "a")], nodes: ["n2", "n3"] },
  exists: { terms: [expression("rack", "Exists")], nodes: ["n1", "n2"] },
  "does-not-exist": { terms: [expression("rack", "DoesNotExist")], nodes: ["n3"] },
  gt: { terms: [expression("slot", "Gt", "9")], nodes: ["n2"] },
  lt: { terms: [expression("slot", "Lt", "9")], nodes: ["n1"] },
  "name-in": { terms: [name("In", "n3")], nodes: ["n3"] },
  "name-not-in": { terms: [name("NotIn", "n3")], nodes: ["n1", "n2"] },
  all: { terms: [{ ...expression("rack", "Exists"), ...name("NotIn", "n1") }], nodes: ["n2"] },
  any: { terms: [expression("slot", "Lt", "9"), name("In", "n3"), {}], nodes: ["n1", "n3"] },
};

describe.skipIf(lack.some)(`node selectors${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    await cluster.createNode("n1", { rack: "a", slot: "1" });
    await cluster.createNode("n2", { rack: "b", slot: "10" });
    await cluster.createNode("n3");
    for (const [index, [pool, { terms }]] of Object.entries(cases).entries())
      await cluster.createPool("IPPool", pool, {
        ...{ subnet: `10.${index + 1}.0.0/24`, perNodeBlockSize: 8 },
        nodeSelector: { nodeSelectorTerms: terms },
      });
    controller = startController({ kubeconfig: cluster.kubeconfig });
    for (const pool of Object.keys(cases))
      await until(
        async () => (await cluster.condition("IPPool", pool))?.status === "True",
        `${pool} is ready`,
      );
    await until(
      async () => (await controller.metric("kube_node_controller_queue_length")) === 0,
      "it is idle",
    );
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  const holders = async (pool: string) =>
    (await cluster.blocks())
      .flatMap(({ spec }) => (spec.pool.name === pool && !spec.closing ? [spec.nodeName] : []))
      .sort();

  it.each(Object.entries(cases))("%s", async (pool, { nodes }) => {
    await until(async () => (await holders(pool)).join() === nodes.join(), `${pool} is ${nodes.join()}'s`);
  });

  it("and by other labels others", async () => {
    await cluster.patchNode("n1", { labels: { rack: null, slot: "100" } });
    const after: Record<string, string[]> = {
      ...{ in: [], "not-in": ["n1", "n2", "n3"], exists: ["n2"], "does-not-exist": ["n1", "n3"] },
      ...{ gt: ["n1", "n2"], lt: [], "name-not-in": ["n1", "n2"], all: ["n2"], any: ["n3"] },
    };
    for (const [pool, nodes] of Object.entries(after))
      await until(async () => (await holders(pool)).join() === nodes.join(), `${pool} is ${nodes.join()}'s`);
    const closing = (await cluster.blocks()).filter(({ spec }) => spec.closing);
    expect(closing.map(({ spec }) => `${spec.pool.name} of ${spec.nodeName}`).sort()).toEqual([
      "any of n1",
      "exists of n1",
      "in of n1",
      "lt of n1",
    ]);
  });
});
