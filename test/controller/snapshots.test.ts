// --debug-address of the built executable: what Chromium's developer tools open, at this machine's own address only.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

describe.skipIf(lack.some)(`snapshots of a running controller${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller;
  let url: string;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    controller = startController({ kubeconfig: cluster.kubeconfig, args: ["--debug-address=127.0.0.1:0"] });
    await controller.said("everything is listed");
    const ports = controller
      .lines()
      .flatMap(({ msg, port }) => (msg.startsWith("serving") && port ? [port] : []));
    expect(ports).toHaveLength(2);
    url = `http://127.0.0.1:${ports[1]}`;
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  it("of its heap: all nodes and edges that a .heapsnapshot says it has", async () => {
    const answer = await fetch(`${url}/debug/heap`);
    expect(answer.status).toBe(200);
    const { snapshot, nodes, edges } = (await answer.json()) as HeapSnapshot;
    expect(nodes).toHaveLength(snapshot.node_count * snapshot.meta.node_fields.length);
    expect(edges).toHaveLength(snapshot.edge_count * snapshot.meta.edge_fields.length);
    expect(snapshot.node_count).toBeGreaterThan(10_000);
  }, 60_000);

  it("of its processor time: ten seconds as a .cpuprofile has them, while it goes on to work", async () => {
    const began = performance.now();
    const [answer] = await Promise.all([fetch(`${url}/debug/cpu`), askFor(9_000)]);
    expect(answer.status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(9_900);
    const { nodes, samples, timeDeltas } = (await answer.json()) as Profile;
    expect(samples.length).toBeGreaterThan(0);
    expect(timeDeltas).toHaveLength(samples.length);
    const known = new Set(nodes.map(({ id }) => id));
    expect(samples.filter((id) => !known.has(id))).toEqual([]);
  }, 60_000);

  // An idle controller has no samples at all: one is taken each millisecond that it computes.
  async function askFor(milliseconds: number): Promise<void> {
    for (const end = performance.now() + milliseconds; performance.now() < end; )
      expect((await controller.get("/metrics")).status).toBe(200);
  }

  it("not at the address of metrics", async () => {
    expect((await controller.get("/debug/heap")).status).toBe(404);
  });
});

type HeapSnapshot = {
  snapshot: {
    meta: { node_fields: string[]; edge_fields: string[] };
    node_count: number;
    edge_count: number;
  };
  nodes: number[];
  edges: number[];
};
type Profile = { nodes: { id: number }[]; samples: number[]; timeDeltas: number[] };
