// The executable, or the configuration, is swapped while pods come and go: from what served before to ours, back, and again.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { toRanges } from "../../bench/contenders.ts";
import { keeping } from "../faults/parts/attachments.ts";
import * as net from "../parts/namespace.ts";
import { mainPlugins, namespaces, whatLacks } from "../parts/tools.ts";
import { type Churn, makeChurn, type Place, type Serving } from "./parts/churn.ts";
import { type NodeNamespace, startNodeNamespace } from "./parts/node-namespace.ts";
import { type OldWay, oldWays, originals, swapIn } from "./parts/old-ways.ts";
import { withMounts } from "./parts/private-mounts.ts";
import { listLeases } from "./parts/store.ts";
import { describeHostLocals, type Subject } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const lack = whatLacks(namespaces(), mainPlugins());
const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const annotation = "example.com/net1";
/** Only pods of db get IPv4, where the type knows of that. */
const spaces = ["db", "web"];
const [atOnce, perTurn] = [8, 32];

let machine: NodeNamespace | undefined;
let places: Place[] = [];

beforeAll(async () => {
  if (lack.some) return;
  machine = await startNodeNamespace();
  net.addBridge(machine.node, "br0");
  // Else its address is that of its lowest port, and no CHECK would pass twice.
  execaSync("ip", ["-n", machine.node.name, "link", "set", "br0", "address", "02:00:00:00:00:01"]);
});
beforeEach(() => {
  if (lack.some) return;
  places = Array.from({ length: 3 * atOnce }, (_, index) => ({
    netns: net.makeNamespace("pod"),
    namespace: spaces[index % spaces.length] as string,
  }));
});
afterEach(() => net.removeNamespaces(places.map(({ netns }) => netns)));
afterAll(() => machine?.close());

/** A machine where both ways can serve, and the pods on it. */
type Swap = {
  worker: Worker;
  churn: Churn;
  leases(): Record<string, string>;
  turnTo(whose: "old" | "ours"): void;
};

async function makeSwap(subject: Subject, way: OldWay): Promise<Swap> {
  const { server, node } = machine as NodeNamespace;
  const worker = await makeWorker(server, subject, { podCIDRs, ...way.spec });
  await worker.annotate(annotation, JSON.stringify({ ranges: toRanges(podCIDRs) }).slice(1, -1));
  const varLibCni = join(worker.folder, "cni");
  mkdirSync(varLibCni);
  const file = join(worker.folder, "node-annotation.conf");
  writeFileSync(file, JSON.stringify({ kubeconfig: worker.kubeconfig }));
  const program = way.program ?? "kube-node";
  const executable = {
    old: way.make?.(worker, subject, podCIDRs),
    ours: subject.executable.command(program)[0] as string,
  };
  const type = { old: way.type, ours: program };
  const ipam = {
    "kube-node": worker.ipam({ "ipv4-namespaces": ["db"] }),
    "node-annotation": { type: "node-annotation", annotation },
    "host-local": { type: "host-local", dataDir: worker.dataDir, ranges: toRanges(podCIDRs) },
  };
  const servingOf = (whose: "old" | "ours"): Serving => ({
    name: whose,
    config: { type: "bridge", bridge: "br0", ipam: ipam[type[whose]] },
  });
  const wrap = (command: string[]) => net.inside(node, withMounts({ "/var/lib/cni": varLibCni }, command));
  const env = { NODE_NAME: worker.name, NODE_ANNOTATION_CFG: file };
  const churn = makeChurn({ wrap, plugins: subject.hostLocal.folder, path: worker.path, env }, places);
  return {
    worker,
    churn,
    leases: () => ({ ...worker.leases(), ...listLeases(join(varLibCni, "networks/net1")) }),
    turnTo: (whose) => {
      const next = executable[whose];
      if (next !== undefined) swapIn(worker, program, next);
      churn.serve(servingOf(whose));
    },
  };
}

/** What is left when all pods are gone: none of them is lost, and none failed. */
function expectNothingLeft({ churn, leases }: Swap): void {
  expect(churn.faults).toEqual([]);
  expect(churn.live()).toEqual([]);
  expect(leases()).toEqual({});
  for (const { netns } of places) expect(net.linksOf(netns)).toEqual(["lo"]);
}

const peers = originals();
const lackPeers = whatLacks(peers.length > 0 ? {} : { missing: "BENCH_PEERS, which names an original" });

describeHostLocals("what serves is swapped under load", (subject) => {
  it.skipIf(lack.some).each([...oldWays, ...peers])(
    `$name, ours, back, ours, back: no address doubled, changed or lost${lack.words}`,
    { timeout: 300_000 },
    async (way) => {
      const swap = await makeSwap(subject, way);
      const { worker, churn, turnTo } = swap;
      turnTo("old");
      churn.start(atOnce);
      await churn.calls(perTurn);
      const cache = join(worker.dataDir, "kube-node.json");
      const found = existsSync(cache) ? readFileSync(cache, "utf8") : undefined;
      for (const whose of ["ours", "old", "ours", "old"] as const) {
        turnTo(whose);
        await churn.calls(perTurn);
      }
      await churn.stop();
      expect(churn.faults).toEqual([]);
      expect(swap.leases()).toEqual(leasesOf(churn));
      expect(found && readFileSync(cache, "utf8")).toBe(found);
      turnTo("ours");
      await churn.remove(Math.ceil(churn.live().length / 2));
      turnTo("old");
      await churn.remove(churn.live().length);
      expectNothingLeft(swap);
      // Pods that we added and the old way deleted have left us a record each, until the next GC. Node-annotation's lie elsewhere.
      await worker.pass("GC", { config: keeping([]) });
      expect(worker.records()).toEqual([]);
      expect([...churn.crossings.keys()].sort()).toEqual([
        "ADD by old, DEL by old",
        "ADD by old, DEL by ours",
        "ADD by ours, DEL by old",
        "ADD by ours, DEL by ours",
      ]);
    },
  );
  if (lackPeers.some) it.skip(`an original itself${lackPeers.words}`, () => {});
});

/** What host-local's store has to hold, by address. */
function leasesOf(churn: Churn): Record<string, string> {
  const pairs = churn
    .live()
    .flatMap(({ id, addresses }) =>
      addresses.map((address): [string, string] => [address.replace(/\/\d+$/, ""), `${id} eth0`]),
    );
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}
