import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeBlock } from "../../src/api/node-block.ts";
import { type NvPool, poolFinalizer, poolGridKey, readNvPool } from "../../src/api/nv-ipam.ts";
import { formatPoolAnnotation } from "../../src/api/pool-annotation.ts";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import { poolAnnotationKey } from "../../src/api/pool-names.ts";
import type { Client } from "../../src/kube/client.ts";
import { lookBack, moveBack } from "../../src/kubectl/migrate-back.ts";
import { readOwnObject } from "../../src/kubectl/migrate-cluster.ts";
import type { MigrateFlags, Migration, Step } from "../../src/kubectl/migrate-flags.ts";
import { lookIn, moveIn } from "../../src/kubectl/migrate-in.ts";
import type { Shell } from "../../src/kubectl/shell.ts";
import type { OwnObject } from "../../src/move/own-object.ts";
import { readBlock } from "../../src/pool/block.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { projectBlocks } from "../../src/pool/project-blocks.ts";
import { readPool } from "../../src/pool/read-pool.ts";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import {
  createNvIpamPool,
  holdNvIpamLease,
  installNvIpamResources,
  nvIpamPath,
  writeNvIpamStatus,
} from "../parts/nv-ipam-resources.ts";
import { installPoolResources, poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { dyingClient } from "./dying-client.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });

const names = ["n1", "n2", "n3", "n4"];
const flat = { subnet: "192.168.0.0/24", perNodeBlockSize: 15, gateway: "192.168.0.1" };
const flatGiven = [
  { nodeName: "n1", startIP: "192.168.0.1", endIP: "192.168.0.15" },
  { nodeName: "n2", startIP: "192.168.0.16", endIP: "192.168.0.30" },
  { nodeName: "n4", startIP: "192.168.0.31", endIP: "192.168.0.45" },
  { nodeName: "n3", startIP: "192.168.0.46", endIP: "192.168.0.60" },
];
const routed = { cidr: "10.10.0.0/16", perNodeNetworkPrefix: 24, gatewayIndex: 1 };
const routedGiven = [
  { nodeName: "n1", prefix: "10.10.0.0/24", gateway: "10.10.0.1" },
  { nodeName: "n3", prefix: "10.10.1.0/24", gateway: "10.10.1.1" },
];
const all = [
  ["IPPool", "a"],
  ["CIDRPool", "a"],
] as const;

describe.skipIf(lack.some)(`kubectl kube-node migrate nv-ipam on a real API server${lack.words}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    const { admin, api } = site;
    for (const name of names) await api.createNode({ name });
    await installPoolResources(admin);
    await installNvIpamResources(admin);
    await defineNetworks(admin);
    await createNamespace(admin, "default");
    await admin.create("/api/v1/namespaces/kube-system/serviceaccounts", { metadata: { name: "default" } });
    await createNvIpamPool(admin, "IPPool", "a", flat, flatGiven);
    await createNvIpamPool(admin, "CIDRPool", "a", routed, routedGiven);
    const ipam = { type: "nv-ipam", poolName: "a" };
    await createNetwork(admin, "default/net1", { name: "net1", type: "macvlan", ipam });
    for (const [name, node, ip] of [
      ["stays", "n2", "192.168.0.17"],
      ["astray", "n1", "192.168.0.18"],
    ] as const)
      await createPod(admin, { name, node, attachments: { "default/net1": [ip] } });
  }, 90_000);
  afterAll(() => site?.close());

  const nv = async (kind: PoolKind, name: string): Promise<NvPool | undefined> =>
    site.admin.get(nvIpamPath(kind, name)).then(
      (item) => readNvPool(kind, item),
      () => undefined,
    );
  const own = async (kind: PoolKind, name: string): Promise<OwnObject | undefined> =>
    site.admin.get(poolPath(kind, name)).then(
      (item) => readOwnObject(kind, item),
      () => undefined,
    );
  const blocks = () => site.admin.list(poolPath("NodeBlock"), (item) => item as NodeBlock);
  const claims = async () =>
    Object.fromEntries(
      (await blocks()).map(({ metadata, spec }) => [metadata.name, `${spec.nodeName} ${spec.first}`]),
    );
  const allClaims = {
    "cidrpool.a.0": "n1 10.10.0.0",
    "cidrpool.a.1": "n3 10.10.1.0",
    "ippool.a.0": "n1 192.168.0.1",
    "ippool.a.1": "n2 192.168.0.16",
    "ippool.a.2": "n4 192.168.0.31",
    "ippool.a.3": "n3 192.168.0.46",
  };
  const statuses = async () => ({
    flat: (await nv("IPPool", "a"))?.allocations,
    routed: (await nv("CIDRPool", "a"))?.allocations,
  });
  const asGiven = { flat: flatGiven, routed: routedGiven };

  /** What our controller does for pools that it knows: a finalizer, annotations of Nodes, Ready. */
  async function playController(): Promise<void> {
    const { admin } = site;
    for (const [kind, name] of all) {
      const theirs = await nv(kind, name);
      const ours = await own(kind, name);
      const pool = theirs ?? ours;
      if (!pool) continue;
      if (theirs && !theirs.finalizers.includes(poolFinalizer))
        await admin.patch(nvIpamPath(kind, name), { metadata: { finalizers: [poolFinalizer] } }, "merge");
      const read = readPool({ kind, name, uid: pool.uid, spec: pool.spec }) as { pool: Pool };
      const given = (await blocks()).flatMap((one) =>
        one.spec.pool.kind === kind ? (readBlock(one) ?? []) : [],
      );
      for (const [node, theirBlocks] of Map.groupBy(given, ({ nodeName }) => nodeName)) {
        const { metadata } = await admin.get<{ metadata: { uid: string } }>(`/api/v1/nodes/${node}`);
        const text = formatPoolAnnotation(projectBlocks(read.pool, metadata.uid, theirBlocks));
        await site.api.setAnnotation(node, poolAnnotationKey({ kind, name }), text);
      }
      if (!ours) continue;
      const ready = {
        type: "Ready",
        status: "True",
        reason: "Valid",
        message: "",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      };
      await admin.patch(`${poolPath(kind, name)}/status`, { status: { conditions: [ready] } }, "merge");
      if (!ours.finalizers.includes(poolFinalizer))
        await admin.patch(poolPath(kind, name), { metadata: { finalizers: [poolFinalizer] } }, "merge");
    }
  }

  /** Runs with a client that breaks down after one write, again and again until nothing is left to write; how many that took. */
  async function diePerWrite(
    flags: Partial<MigrateFlags>,
    check: () => Promise<void>,
  ): Promise<{ runs: number; steps: Step[] }> {
    for (let runs = 1; ; runs++) {
      const state = { left: 1 };
      const migration: Migration = {
        client: dyingClient(site.admin, state),
        shell: { progress: () => undefined } as unknown as Shell,
        flags: { dryRun: "none", namespace: "kube-system", output: "table", ...flags },
      };
      const { steps } = await (flags.back
        ? moveBack(migration, await lookBack(migration))
        : moveIn(migration, await lookIn(migration)));
      await check();
      if (state.left === 1) return { runs, steps };
    }
  }

  it("says what would be, and writes nothing", async () => {
    const answer = await site.run("migrate nv-ipam --dry-run");
    expect(answer.exitCode).toBe(0);
    expect(answer.stdout).toMatchSnapshot();
    expect(answer.stderr).toBe(
      "note: IPPool a: default/astray on n1 has 192.168.0.18, which is n2's: delete the pod where that is this pool's network",
    );
    expect(await claims()).toEqual({});
    expect((await nv("IPPool", "a"))?.annotations).toEqual({});
  });

  it("waits for nv-ipam's controller, and names its Deployment", async () => {
    const { admin } = site;
    await makeDeployment(admin);
    const holding = setInterval(
      () => void holdNvIpamLease(admin, "nv-ipam-controller-7-x_1").catch(() => undefined),
      300,
    );
    try {
      await holdNvIpamLease(admin, "nv-ipam-controller-7-x_1");
      const { exitCode, stdout } = await site.run("migrate nv-ipam");
      expect(exitCode).toBe(1);
      expect(stdout).toContain(
        "1. nv-ipam's controller is stopped: waits\n   nv-ipam-controller-7-x_1 holds the Lease kube-system/dd1643cf.nvidia.com: kubectl -n kube-system scale deployment nv-ipam-controller --replicas=0",
      );
      expect(stdout).toContain("2. allocations are claimed as NodeBlocks: waits");
      expect(await claims()).toEqual({});
    } finally {
      clearInterval(holding);
    }
  });

  it("--stop-controller scales it down, and goes on once its Lease isn't renewed any more", async () => {
    const { admin } = site;
    await holdNvIpamLease(admin, "nv-ipam-controller-7-x_1", { seconds: 3 });
    const path = "/apis/apps/v1/namespaces/kube-system/deployments/nv-ipam-controller";
    const replicas = async () => (await admin.get<{ spec: { replicas: number } }>(path)).spec.replicas;
    expect(await replicas()).toBe(1);
    const holding = setInterval(
      () =>
        void replicas().then((now) =>
          now === 0
            ? clearInterval(holding)
            : holdNvIpamLease(admin, "nv-ipam-controller-7-x_1", { seconds: 3 }),
        ),
      300,
    );
    const { stdout } = await site.run("migrate nv-ipam --stop-controller --dry-run=client");
    expect(stdout).toContain("1. nv-ipam's controller is stopped: to do");
    expect(await replicas()).toBe(1);
    const answer = await site.run("migrate nv-ipam --stop-controller -o json");
    expect(await replicas()).toBe(0);
    expect(JSON.parse(answer.stdout).steps.slice(0, 2)).toEqual([
      { title: "nv-ipam's controller is stopped", state: "done", words: [] },
      {
        title: "allocations are claimed as NodeBlocks",
        state: "done",
        words: ["6 NodeBlocks made, 0 there"],
      },
    ]);
    expect(await claims()).toEqual(allClaims);
    expect(await statuses()).toEqual(asGiven);
    await holdNvIpamLease(admin, "");
    await forgetAll();
  });

  it("makes nothing while a controller of ours runs that doesn't know the pools: it would take their NodeBlocks back", async () => {
    const end = await holdOwnLease(site.admin);
    const { exitCode, stdout } = await site.run("migrate nv-ipam");
    await end();
    expect(exitCode).toBe(1);
    expect(stdout).toContain("kube-node-controller-1 runs without --serve-group=nv-ipam.nvidia.com");
    expect(await claims()).toEqual({});
  });

  it("claims all blocks, killed after each write and run again; then it is done already", async () => {
    const { runs } = await diePerWrite({}, async () => {
      expect(allClaims).toMatchObject(await claims());
      expect(await statuses()).toEqual(asGiven);
    });
    expect(runs).toBeGreaterThan(8);
    expect(await claims()).toEqual(allClaims);
    const { annotations = {} } = (await nv("IPPool", "a")) ?? {};
    expect(JSON.parse(annotations[poolGridKey] ?? "")).toEqual({ first: "192.168.0.1", size: "15" });
    const waiting = await site.run("migrate nv-ipam");
    expect(waiting).toMatchObject({ exitCode: 1 });
    expect(waiting.stdout).toContain("2. allocations are claimed as NodeBlocks: done\n   6 NodeBlocks there");
    expect(waiting.stdout).toContain(
      "6 of 6 blocks not carried yet\n   run kube-node-controller with --serve-group=nv-ipam.nvidia.com",
    );
    await playController();
    for (const node of names) await makeAgent(site.admin, node);
    const done = await site.run("migrate nv-ipam");
    expect(done.exitCode).toBe(0);
    expect(done.stdout).toMatchSnapshot();
  });

  it("leaves a pool with doubts out as a whole, and says each", async () => {
    const { admin } = site;
    await createNvIpamPool(
      admin,
      "IPPool",
      "odd",
      { ...flat, subnet: "192.168.9.0/24", gateway: "192.168.9.1" },
      [
        { nodeName: "n1", startIP: "192.168.9.1", endIP: "192.168.9.15" },
        { nodeName: "n2", startIP: "192.168.9.10", endIP: "192.168.9.24" },
        { nodeName: "n3", startIP: "10.0.0.1", endIP: "10.0.0.15" },
      ],
    );
    await createNvIpamPool(admin, "IPPool", "bad", { ...flat, perNodeBlockSize: 300 }, [
      flatGiven[0] as never,
    ]);
    const { exitCode, stdout, stderr } = await site.run("migrate nv-ipam");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("doubt: IPPool odd: 192.168.9.10-192.168.9.24 of n2 is off the pool's grid");
    expect(stderr).toContain("doubt: IPPool odd: 10.0.0.1-10.0.0.15 of n3 lies outside");
    expect(stderr).toContain("doubt: IPPool bad: spec.perNodeBlockSize: 300 addresses");
    expect(stdout).toContain("2 pools left out: settle the doubts, and run this again");
    expect(await claims()).toEqual(allClaims);
    for (const name of ["odd", "bad"]) await admin.remove(nvIpamPath("IPPool", name));
  });

  it("doubts pools of one name in two namespaces", async () => {
    const { admin } = site;
    await createNvIpamPool(admin, "IPPool", "a", flat, [], "default");
    const { exitCode, stderr } = await site.run("migrate nv-ipam --dry-run=client");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("note: IPPool a of namespace default stays as it is: -n default moves it");
    expect(stderr).toContain("doubt: IPPool a: namespace default has IPPool a as well as kube-system");
    await admin.remove(nvIpamPath("IPPool", "a", "default"));
  });

  it("leaves a pool that networks share: each would keep leases of its own from then on", async () => {
    const { admin } = site;
    const ipam = { type: "nv-ipam", poolName: "a" };
    await createNetwork(admin, "default/net2", { cniVersion: "1.0.0", type: "macvlan", ipam });
    const { exitCode, stderr } = await site.run("migrate nv-ipam --dry-run=client");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "doubt: IPPool a: networks net1 (default/net1) and net2 (default/net2) name it: here each keeps leases of its own on a node",
    );
    expect(stderr).not.toContain("CIDRPool a: networks");
    await admin.remove("/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions/net2");
  });

  it("--to-group --finish: killed after each write, objects are ours at the end, and NodeBlocks stay", async () => {
    const before = await blocks();
    const { steps } = await diePerWrite({ toGroup: true }, async () => {
      expect(await blocks()).toEqual(before);
    });
    expect(steps.map(({ state }) => state)).toEqual([
      "done",
      "done",
      "done",
      "done",
      "done",
      "done",
      "later",
    ]);
    const uid = (await nv("IPPool", "a"))?.uid;
    expect(await own("IPPool", "a")).toMatchObject({
      annotations: { "ipam.kube-node.io/moved-from": uid },
      spec: flat,
      grid: { first: "192.168.0.1", size: "15" },
    });
    const early = await site.run("migrate nv-ipam --to-group --finish");
    expect(early.exitCode).toBe(1);
    expect(early.stdout).toContain("IPPool a of ipam.kube-node.io isn't Ready yet");
    expect(await statuses()).toEqual(asGiven);
    await playController();
    await diePerWrite({ toGroup: true, finish: true }, async () => {
      expect(await blocks()).toEqual(before);
    });
    expect(await statuses()).toEqual({});
    expect(await site.run("migrate nv-ipam --to-group --finish")).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "nv-ipam has no pools in namespace kube-system: nothing to move",
    });
  });

  it("--back: waits for our controller, makes nv-ipam's objects again with all allocations, killed after each write", async () => {
    const before = await blocks();
    const end = await holdOwnLease(site.admin);
    const waiting = await site.run("migrate nv-ipam --back");
    await end();
    expect(waiting.exitCode).toBe(1);
    expect(waiting.stdout).toContain("1. kube-node-controller is stopped: waits");
    expect(await statuses()).toEqual({});
    await diePerWrite({ back: true }, async () => {
      expect(await blocks()).toEqual(before);
    });
    const byNode = (list: unknown[] = []) =>
      (list as { nodeName: string }[]).toSorted((a, b) => (a.nodeName < b.nodeName ? -1 : 1));
    const now = await statuses();
    expect(byNode(now.flat)).toEqual(byNode(flatGiven));
    expect(byNode(now.routed)).toEqual(byNode(routedGiven));
    expect((await nv("CIDRPool", "a"))?.spec).toEqual(routed);
  });

  it("--back --finish leaves a pool alone whose status lost a block, and takes away what is ours of the others", async () => {
    const { admin } = site;
    await writeNvIpamStatus(admin, "CIDRPool", "a", routedGiven.slice(0, 1));
    await holdNvIpamLease(admin, "nv-ipam-controller-7-x_1", { seconds: 3 });
    const holding = setInterval(
      () => void holdNvIpamLease(admin, "nv-ipam-controller-7-x_1", { seconds: 3 }),
      300,
    );
    const { exitCode, stdout } = await site.run("migrate nv-ipam --back --finish");
    clearInterval(holding);
    await holdNvIpamLease(admin, "");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("runs without knowing these blocks, and may give them to others");
    expect(stdout).toContain("CIDRPool a: nv-ipam's status doesn't have all its blocks");
    expect(Object.keys(await claims())).toEqual(["cidrpool.a.0", "cidrpool.a.1"]);
    expect(await own("IPPool", "a")).toBeUndefined();
    expect(await own("CIDRPool", "a")).toBeDefined();
  });

  it("--back --finish, killed after each write: nothing of ours is left, and nothing of theirs is changed", async () => {
    const { steps } = await diePerWrite({ back: true, finish: true }, async () => {
      const { routed: now = [] } = await statuses();
      for (const { metadata } of await blocks())
        expect(["cidrpool.a.0", "cidrpool.a.1"]).toContain(metadata.name);
      expect(now.length).toBeGreaterThan(0);
    });
    expect(steps.at(-1)?.state).toBe("done");
    expect(await claims()).toEqual({});
    expect(await own("CIDRPool", "a")).toBeUndefined();
    for (const [kind, name] of all)
      expect(await nv(kind, name)).toMatchObject({ finalizers: [], deleting: false });
    expect((await nv("CIDRPool", "a"))?.annotations).toEqual({});
    for (const name of names)
      expect(
        Object.keys((await site.api.getNode(name))?.metadata.annotations ?? {}).filter((key) =>
          key.includes("kube-node"),
        ),
      ).toEqual([]);
    expect((await statuses()).flat).toHaveLength(4);
    expect((await statuses()).routed).toHaveLength(2);
  });

  it("--back keeps addresses of living pods from being given again, as long as they live", async () => {
    const { admin } = site;
    const excluded = async () => (await nv("IPPool", "a"))?.spec["exclusions"];
    expect(await excluded()).toEqual([{ startIP: "192.168.0.17", endIP: "192.168.0.18" }]);
    // This one is nv-ipam's own by now.
    await createPod(admin, { name: "later", node: "n3", attachments: { "default/net1": ["192.168.0.50"] } });
    const end = (name: string) =>
      admin.remove(`/api/v1/namespaces/default/pods/${name}`, { gracePeriodSeconds: 0 });
    await end("astray");
    const { stdout } = await site.run("migrate nv-ipam --back --finish");
    expect(stdout).toContain("1 exclusion: run this again once pods have ended, and they go");
    expect(await excluded()).toEqual([{ startIP: "192.168.0.17", endIP: "192.168.0.17" }]);
    await end("stays");
    await site.run("migrate nv-ipam --back");
    expect(await nv("IPPool", "a")).toMatchObject({ spec: flat, annotations: {} });
    expect(await excluded()).toBeUndefined();
    expect(await site.run("migrate nv-ipam --back --finish")).toMatchObject({
      exitCode: 0,
      stderr: "nothing of these pools is ours: nothing to give back",
    });
    await end("later");
  });

  it("there and back again without --to-group leaves all as it was", async () => {
    const theirs = await statuses();
    await site.run("migrate nv-ipam");
    await playController();
    expect(await claims()).toEqual(allClaims);
    const { exitCode, stdout } = await site.run("migrate nv-ipam --back --finish");
    expect(stdout).toContain("2 pools cleaned");
    expect(exitCode).toBe(1); // nv-ipam's controller is still to be started
    expect(await claims()).toEqual({});
    expect(await statuses()).toEqual(theirs);
    expect(await nv("IPPool", "a")).toMatchObject({ annotations: {}, finalizers: [] });
  });

  it("refuses flags that don't go together", async () => {
    for (const words of ["--finish", "--dry-run=server", "--back --to-group", "--back --stop-controller"])
      expect((await site.run(`migrate nv-ipam ${words}`)).exitCode).toBe(2);
    expect((await site.run("migrate whereabouts")).exitCode).toBe(2);
  });

  async function forgetAll(): Promise<void> {
    for (const { metadata } of await blocks()) await site.admin.remove(poolPath("NodeBlock", metadata.name));
    for (const [kind, name] of all) {
      const metadata = { annotations: { [poolGridKey]: null } };
      await site.admin.patch(nvIpamPath(kind, name), { metadata }, "merge");
    }
  }
});

/** A controller of ours that renews its Lease until it is told to end. */
async function holdOwnLease(client: Client): Promise<() => Promise<void>> {
  const path =
    "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-node-controller?fieldManager=test&force=true";
  const hold = (holderIdentity: string) => {
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    const spec = { holderIdentity, leaseDurationSeconds: 5, renewTime };
    const metadata = { name: "kube-node-controller" };
    return client.patch(
      path,
      { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec },
      "apply",
    );
  };
  await hold("kube-node-controller-1");
  const timer = setInterval(() => void hold("kube-node-controller-1").catch(() => undefined), 300);
  return async () => {
    clearInterval(timer);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await hold("");
  };
}

/** nv-ipam's controller as a Deployment, its ReplicaSet and its pod, which no controller looks after here. */
async function makeDeployment(client: Client): Promise<void> {
  const labels = { app: "nv-ipam-controller" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "none" }] } };
  const apps = "/apis/apps/v1/namespaces/kube-system";
  type Made = { metadata: { name: string; uid: string } };
  const owned = (kind: string, { metadata: { name, uid } }: Made) => [
    { apiVersion: "apps/v1", kind, name, uid },
  ];
  const deployment = await client.create<Made>(`${apps}/deployments`, {
    metadata: { name: "nv-ipam-controller" },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  });
  const set = await client.create<Made>(`${apps}/replicasets`, {
    metadata: { name: "nv-ipam-controller-7", ownerReferences: owned("Deployment", deployment) },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  });
  await client.create("/api/v1/namespaces/kube-system/pods", {
    metadata: { name: "nv-ipam-controller-7-x", ownerReferences: owned("ReplicaSet", set) },
    spec: { automountServiceAccountToken: false, containers: [{ name: "c", image: "none" }] },
  });
}

async function makeAgent(client: Client, nodeName: string): Promise<void> {
  const pods = "/api/v1/namespaces/kube-system/pods";
  const name = `kube-node-agent-${nodeName}`;
  await client.create(pods, {
    metadata: { name, labels: { "app.kubernetes.io/name": "kube-node-agent" } },
    spec: { nodeName, automountServiceAccountToken: false, containers: [{ name: "c", image: "none" }] },
  });
  const conditions = [{ type: "Ready", status: "True" }];
  await client.patch(`${pods}/${name}/status`, { status: { conditions } }, "merge");
}
