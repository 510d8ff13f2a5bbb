// Specs that are wrong in each way there is, applied to pools that Nodes have blocks of: refused, or a condition; nothing is freed.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import { ApiError } from "../../src/kube/api-error.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import {
  cidrPoolFaults,
  type Fault,
  goodCIDRPool,
  goodIPPool,
  ipPoolFaults,
  left,
} from "../real/parts/pool-faults.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

describe.skipIf(lack.some)(`specs that are wrong, of pools in use${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    controller = startController({ kubeconfig: cluster.kubeconfig });
    for (const name of ["n1", "n2"]) await cluster.createNode(name);
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  const nodes = ["n1", "n2"];

  /** All that a Node's pods live by; the versions tell of any write. */
  async function given(kind: PoolKind) {
    const blocks = (await cluster.blocks()).filter(({ spec }) => spec.pool.kind === kind);
    const annotations = await Promise.all(nodes.map((node) => cluster.annotation(node, "p", kind)));
    return {
      blocks: blocks.map(({ metadata, spec }) => ({ ...metadata, managedFields: [], ...spec })),
      annotations,
    };
  }

  /** "taken", or what the API server said. */
  async function set(kind: PoolKind, spec: object): Promise<string> {
    const path = `${poolPath(kind, "p")}?fieldValidation=Strict`;
    return cluster.client.patch(path, { spec }, "merge").then(
      () => "taken",
      (error: unknown) => {
        if (error instanceof ApiError && [400, 422].includes(error.status ?? 0)) return error.message;
        throw error;
      },
    );
  }

  const nulled = (change: Fault["change"]) =>
    Object.fromEntries(Object.entries(change).map(([key, value]) => [key, value ?? null]));

  describe.each([
    { kind: "IPPool" as const, good: goodIPPool, faults: ipPoolFaults },
    { kind: "CIDRPool" as const, good: goodCIDRPool, faults: cidrPoolFaults },
  ])("$kind", ({ kind, good, faults }) => {
    const isReady = () =>
      until(async () => (await cluster.condition(kind, "p"))?.status === "True", "the pool is ready");
    let changes = 0;
    let before: Awaited<ReturnType<typeof given>>;

    beforeAll(async () => {
      await cluster.createPool(kind, "p", { ...good, allowOverlap: true });
      for (const node of nodes) await until(() => cluster.annotation(node, "p", kind), `${node} has a block`);
      await isReady();
      before = await given(kind);
      expect(before.blocks).toHaveLength(2);
    });

    it("is refused, each by words of its own, and nothing is freed", async () => {
      const taken: string[] = [];
      for (const { change } of faults) {
        const said = await set(kind, nulled(change));
        if (said === "taken") taken.push(JSON.stringify(change).slice(0, 200));
      }
      expect(taken).toEqual([]);
      expect(await given(kind)).toEqual(before);
      await isReady();
    });

    // What would move the grid besides is refused.
    const conditions = left[kind].filter(({ change }) => !("cidr" in change));
    it.each(conditions.map(({ change, says }) => ({ change, says, shown: JSON.stringify(change) })))(
      "with $shown is a condition, and nothing is freed",
      async ({ change, says }) => {
        expect(await set(kind, change)).toBe("taken");
        const condition = await until(async () => {
          const one = await cluster.condition(kind, "p");
          return one?.reason === "InvalidSpec" ? one : undefined;
        }, "it is invalid");
        expect(condition).toMatchObject({ status: "False", message: expect.stringContaining(says) });
        expect(condition.message).toContain("Blocks that are given stay as they are");
        await cluster.patchNode("n1", { labels: { changed: String(++changes) } });
        await until(
          async () => (await controller.metric("kube_node_controller_queue_length")) === 0,
          "it is idle",
        );
        expect(await given(kind)).toEqual(before);
        expect(await controller.metric("kube_node_pool_ready", `pool="p",reason="InvalidSpec"`)).toBe(0);
        await set(kind, Object.fromEntries(Object.keys(change).map((key) => [key, null])));
        await isReady();
        expect(await given(kind)).toEqual(before);
      },
    );
  });
});
