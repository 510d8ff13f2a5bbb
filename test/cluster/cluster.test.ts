import { isIP, isIPv6 } from "node:net";
import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contains } from "../parts/contains.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Cluster, isForeign, openCluster, whatClusterLacks } from "./cluster.ts";
import { deployment, lookout, namespace } from "./manifests.ts";

const lack = whatLacks(whatClusterLacks());
const notOurs = isForeign ? " (skipped on a cluster whose configuration isn't ours)" : "";
const replicas = 20;
const minutes = 60_000;

type Pod = { name: string; node: string; addresses: string[] };

describe.skipIf(lack.some)(`pods of a real cluster${lack.words}`, () => {
  const home = `kube-node-test-${Date.now().toString(36)}`;
  const gated = `${home}-gated`;
  let cluster: Cluster;
  let pods: Pod[] = [];

  beforeAll(async () => {
    cluster = await openCluster([home]);
    await cluster.kubectl(["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s"]);
    for (const name of [home, gated]) await cluster.kubectl(["apply", "-f", "-"], namespace(name));
    await cluster.kubectl(["apply", "-f", "-"], lookout(home, cluster.image));
    await rollOut("daemonset/lookout", home);
  }, 10 * minutes);
  afterAll(async () => {
    if (isForeign) await cluster?.kubectl(["delete", "namespace", home, gated, "--wait=false"]);
    await cluster?.close();
  }, 3 * minutes);

  function rollOut(what: string, where: string): Promise<string> {
    return cluster.kubectl(["rollout", "status", what, "-n", where, "--timeout=120s"]);
  }

  async function deploy(where: string, count: number): Promise<Pod[]> {
    await cluster.kubectl(["apply", "-f", "-"], deployment(where, "web", cluster.image, count));
    await rollOut("deployment/web", where);
    return await listPods(where, "web");
  }

  async function listPods(where: string, app: string): Promise<Pod[]> {
    type Shown = {
      metadata: { name: string };
      spec: { nodeName: string };
      status: { podIPs?: { ip: string }[] };
    };
    const text = await cluster.kubectl(["get", "pods", "-n", where, "-l", `app=${app}`, "-o", "json"]);
    return (JSON.parse(text) as { items: Shown[] }).items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      node: spec.nodeName,
      addresses: status.podIPs?.map(({ ip }) => ip) ?? [],
    }));
  }

  function run(where: string, pod: Pod, script: string): Promise<string> {
    return cluster.kubectl(["exec", "-n", where, pod.name, "--", "sh", "-c", script]);
  }

  /** Addresses that don't answer. */
  async function pingFrom(where: string, pod: Pod, addresses: string[]): Promise<string[]> {
    const script = `for a in ${addresses.join(" ")}; do ping -c 1 -W 2 $a >/dev/null 2>&1 || echo $a; done`;
    return (await run(where, pod, script)).split("\n").filter(Boolean);
  }

  /** What the nodes' disks hold: the addresses of host-local's leases, and the records of pods of a namespace. */
  async function readDisks(podsOf: string): Promise<{ leases: string[]; records: string[] }> {
    const script = `cd /var/lib/cni/networks 2>/dev/null || exit 0; find . -type f | grep -v '/\\.kube-node/'; echo; 
      grep -rl '"namespace":"${podsOf}"' .kube-node || true`;
    const texts = await Promise.all((await listPods(home, "lookout")).map((pod) => run(home, pod, script)));
    const parts = texts.map((text) => text.split("\n\n").map((part) => part.split("\n").filter(Boolean)));
    return {
      leases: parts
        .flatMap(([files = []]) => files.map((file) => basename(file)))
        .filter((name) => isIP(name)),
      records: parts.flatMap(([, files = []]) => files),
    };
  }

  it(
    `${replicas} get ready, each with addresses of its own Node's podCIDRs`,
    async () => {
      pods = await deploy(home, replicas);
      expect(pods).toHaveLength(replicas);
      const ranges = await readPodCIDRs(cluster);
      for (const { node, addresses } of pods) {
        const ofNode = ranges.get(node) ?? [];
        expect(addresses, node).toHaveLength(ofNode.length);
        for (const address of addresses)
          expect(
            ofNode.some((cidr) => contains(cidr, address)),
            address,
          ).toBe(true);
      }
      const all = pods.flatMap(({ addresses }) => addresses);
      expect(new Set(all).size).toBe(all.length);
      expect(new Set(pods.map(({ node }) => node)).size).toBe(Math.min(ranges.size, replicas));
    },
    4 * minutes,
  );

  it("their leases and records are on their nodes' disks", async () => {
    const { leases, records } = await readDisks(home);
    expect(leases).toEqual(expect.arrayContaining(pods.flatMap(({ addresses }) => addresses)));
    expect(records).toHaveLength(replicas);
  });

  it(
    "all ping each other, over each family, within nodes and across",
    async () => {
      const all = pods.flatMap(({ addresses }) => addresses);
      for (let first = 0; first < pods.length; first += 5) {
        const some = pods.slice(first, first + 5);
        const silent = await Promise.all(some.map((pod) => pingFrom(home, pod, all)));
        expect(silent).toEqual(some.map(() => []));
      }
    },
    3 * minutes,
  );

  it.skipIf(isForeign)(
    `of another namespace than the listed one have IPv6 alone${notOurs}`,
    async () => {
      const [pod, other] = (await deploy(gated, 2)) as [Pod, Pod];
      for (const { addresses } of [pod, other]) {
        expect(addresses).toHaveLength(1);
        expect(addresses.every(isIPv6)).toBe(true);
      }
      const targets = [...other.addresses, ...pods.flatMap(({ addresses }) => addresses.filter(isIPv6))];
      expect(await pingFrom(gated, pod, targets)).toEqual([]);
    },
    3 * minutes,
  );

  it(
    "gone, they leave no lease and no record",
    async () => {
      for (const where of [home, gated]) {
        const options = ["--ignore-not-found", "--cascade=foreground", "--timeout=120s"];
        await cluster.kubectl(["delete", "deployment", "web", "-n", where, ...options]);
      }
      const given = new Set(pods.flatMap(({ addresses }) => addresses));
      expect(given.size).toBeGreaterThanOrEqual(replicas);
      const left = async () => {
        const [own, other] = await Promise.all([home, gated].map(readDisks));
        const leases = own?.leases.filter((address) => !isForeign || given.has(address));
        return [...(leases ?? []), ...(own?.records ?? []), ...(other?.records ?? [])];
      };
      await expect.poll(left, { timeout: minutes, interval: 1000 }).toEqual([]);
    },
    4 * minutes,
  );
});

/** By the Node's name. */
async function readPodCIDRs({ kubectl }: Cluster): Promise<Map<string, string[]>> {
  type Shown = { metadata: { name: string }; spec: { podCIDRs?: string[]; taints?: { effect: string }[] } };
  const { items } = JSON.parse(await kubectl(["get", "nodes", "-o", "json"])) as { items: Shown[] };
  const open = items.filter(({ spec }) => !spec.taints?.some(({ effect }) => effect !== "PreferNoSchedule"));
  return new Map(open.map(({ metadata, spec }) => [metadata.name, spec.podCIDRs ?? []]));
}
