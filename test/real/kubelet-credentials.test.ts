import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { machineIDs } from "../../src/host/machine.ts";
import type { ApiServer, Identity } from "../parts/api-server.ts";
import { send } from "../parts/https-request.ts";
import { callPlugin, type PluginAnswer } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { kubectl, type Requirement, whatLacks } from "../parts/tools.ts";
import { addressesIn, expectSilence, type Failure, readFailure } from "./parts/answers.ts";
import { listLeases } from "./parts/store.ts";
import { describeSubjects } from "./parts/subjects.ts";

const key = "kube-node.nordix.org/net1";
const kubelet = { kind: "kubelet", node: "node-a" } as const;
const account = { kind: "serviceAccount", namespace: "kube-system", name: "kube-node" } as const;
const podCIDRs = { "node-a": ["10.1.1.0/24", "fd00:10:1:1::/64"], "node-b": ["10.1.2.0/24"] };
const fromPodCIDRs = ["10.1.1.2", "fd00:10:1:1::2"];

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing: `a real API server (${missing})` });
const [ownMachineID] = machineIDs();
const machineID: Requirement = ownMachineID ? {} : { missing: "/etc/machine-id" };

// Seconds each, but a busy machine may take its time.
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(lack.some)(`kube-node and a real API server${lack.words}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "kubelet-credentials-"));
  let server: ApiServer;
  beforeAll(async () => {
    server = await startRealApiServer();
    const own = ownMachineID ? { machineID: ownMachineID } : {};
    await server.createNode({ name: "node-a", podCIDRs: podCIDRs["node-a"], ...own });
    await server.createNode({ name: "node-b", podCIDRs: podCIDRs["node-b"], machineID: "b".repeat(32) });
  }, 120_000);
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The path of a kubeconfig; certificate and key, or token, are in a file of their own, as the kubelet has them. */
  async function kubeconfigOf(identity: Identity): Promise<string> {
    const place = mkdtempSync(join(folder, "kubeconfig-"));
    writeFileSync(join(place, "kubeconfig"), await server.kubeconfigFor(identity, { folder: place }));
    return join(place, "kubeconfig");
  }

  /** Lists of Nodes that the API server has answered or refused so far. */
  async function countLists(): Promise<number> {
    const credentials = await server.credentialsFor({ kind: "admin" });
    const { text } = await send({ ...server, credentials }, { path: "/metrics" });
    const lines = text.split("\n").filter((line) => /^apiserver_request_total{.*resource="nodes"/.test(line));
    const lists = lines.filter((line) => line.includes('verb="LIST"'));
    return lists.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  describeSubjects("with credentials", ({ executable, hostLocal }) => {
    let dataDir: string;
    let containers = 0;
    beforeEach(async () => {
      dataDir = mkdtempSync(join(folder, "node-"));
      await server.setAnnotation("node-a", key, null);
    });

    type Env = Record<string, string>;
    function call(verb: string, ipam: object, id: string, env: Env = {}): Promise<PluginAnswer> {
      return callPlugin({
        command: executable.command("kube-node"),
        verb,
        containerID: id,
        ifname: "eth0",
        netns: "/run/netns/none",
        path: hostLocal.folder,
        env,
        stdin: {
          cniVersion: "1.0.0",
          name: "pods",
          type: "bridge",
          ipam: { type: "kube-node", dataDir, ...ipam },
        },
      });
    }
    const nextID = () => `c${++containers}`;
    const add = async (ipam: object, id = nextID()) => addressesIn(await call("ADD", ipam, id));
    const refuse = async (ipam: object, env?: Env): Promise<Failure> =>
      readFailure(await call("ADD", ipam, nextID(), env));
    const leases = () => listLeases(join(dataDir, "pods"));

    describe("of the kubelet", () => {
      it("its own Node's podCIDRs, from ADD to DEL, without a name and without a LIST", async () => {
        const ipam = { kubeconfig: await kubeconfigOf(kubelet) };
        const before = await countLists();
        expect(await add(ipam, "own")).toEqual(fromPodCIDRs);
        expect(Object.values(leases())).toEqual(["own eth0", "own eth0"]);
        expectSilence(await call("CHECK", ipam, "own"));
        expectSilence(await call("DEL", ipam, "own"));
        expect(leases()).toEqual({});
        expect(await countLists()).toBe(before);
      });

      it("its own Node's annotation, as it is now", async () => {
        const ipam = { kubeconfig: await kubeconfigOf(kubelet), annotation: key };
        const before = await countLists();
        await server.setAnnotation("node-a", key, "172.20.2.0/24, fd00::2:0:0/96");
        expect(await add(ipam)).toEqual(["172.20.2.2", "fd00::2:0:2"]);
        await server.setAnnotation("node-a", key, "172.20.3.0/24");
        expect(await add(ipam)).toEqual(["172.20.3.2"]);
        expect(await countLists()).toBe(before);
      });

      it.each([["ipam.nodeName"], ["NODE_NAME"]])("never another's, named by %s", async (place) => {
        const own = { kubeconfig: await kubeconfigOf(kubelet) };
        const other = place === "NODE_NAME" ? own : { ...own, nodeName: "node-b" };
        const env: Env = place === "NODE_NAME" ? { NODE_NAME: "node-b" } : {};
        const before = await countLists();
        const refused = {
          code: 11,
          msg: "the Node's address ranges are not known",
          details: expect.stringMatching(/forbids it \(403\).*node 'node-a' cannot read 'node-b'/),
        };
        expect(await refuse(other, env)).toMatchObject(refused);
        await add(own, "own");
        // What is last known by now is node-a's: it doesn't stand in for node-b's.
        expect(await refuse(other, env)).toMatchObject(refused);
        expect(Object.keys(leases())).toEqual(fromPodCIDRs);
        expect(await countLists()).toBe(before);
      });

      const noID = whatLacks(machineID);
      it.skipIf(noID.some)(`refused where its Node is another machine${noID.words}`, async () => {
        const ipam = { kubeconfig: await kubeconfigOf({ kind: "kubelet", node: "node-b" }) };
        expect(await refuse(ipam)).toMatchObject({
          code: 102,
          msg: "the credentials name Node node-b, which has another machine-id than this machine",
        });
      });

      it("refused once they have expired, with the reason", async () => {
        const ipam = { kubeconfig: await kubeconfigOf({ ...kubelet, expired: true }) };
        expect(await refuse(ipam)).toMatchObject({ code: 11, details: expect.stringMatching(/expired/) });
      });
    });

    describe("of a ServiceAccount that may get one Node", () => {
      const mayRead = ["node-a"];

      it("bound to that Node: the token says its name", async () => {
        const ipam = { kubeconfig: await kubeconfigOf({ ...account, mayRead, boundTo: "node-a" }) };
        const before = await countLists();
        expect(await add(ipam)).toEqual(fromPodCIDRs);
        expect(await countLists()).toBe(before);
      });

      it("not bound: by the name that the configuration gives", async () => {
        const ipam = { kubeconfig: await kubeconfigOf({ ...account, mayRead }), nodeName: "node-a" };
        expect(await add(ipam)).toEqual(fromPodCIDRs);
      });

      it("not bound and without a name: refused, since it may not list", async () => {
        const ipam = { kubeconfig: await kubeconfigOf({ ...account, mayRead }) };
        expect(await refuse(ipam)).toMatchObject({
          code: 11,
          details: expect.stringMatching(/forbids it \(403\).*cannot list resource "nodes"/),
        });
      });

      it("another Node: refused, in the API server's words", async () => {
        const ipam = { kubeconfig: await kubeconfigOf({ ...account, mayRead }), nodeName: "node-b" };
        expect(await refuse(ipam)).toMatchObject({
          code: 11,
          details: expect.stringMatching(/forbids it \(403\).*nodes "node-b" is forbidden/),
        });
      });

      it("a Node that isn't there", async () => {
        const absent = { ...account, mayRead: ["node-x"] };
        const ipam = { kubeconfig: await kubeconfigOf(absent), nodeName: "node-x" };
        expect(await refuse(ipam)).toMatchObject({ code: 102, msg: "the API server has no such Node" });
      });
    });

    const noID = whatLacks(machineID);
    it.skipIf(noID.some)(`that may list find the Node of this machine-id${noID.words}`, async () => {
      const ipam = { kubeconfig: await kubeconfigOf({ ...account, mayRead: "all" }) };
      const before = await countLists();
      expect(await add(ipam)).toEqual(fromPodCIDRs);
      expect(await countLists()).toBeGreaterThan(before);
    });

    it("ADD goes on and DEL works while the API server is away; after it, ADD knows what is new", async () => {
      const ipam = { kubeconfig: await kubeconfigOf(kubelet), annotation: key };
      await server.setAnnotation("node-a", key, "172.20.2.0/24");
      expect(await add(ipam, "before")).toEqual(["172.20.2.2"]);
      await server.stop();
      try {
        expect(await add(ipam, "meanwhile")).toEqual(["172.20.2.3"]);
        expect(await refuse({ ...ipam, annotation: "example.com/never-asked", timeout: 4 })).toMatchObject({
          code: 11,
          details: expect.stringContaining("refused the connection"),
        });
        for (const id of ["before", "meanwhile", "never-added"]) expectSilence(await call("DEL", ipam, id));
        expect(leases()).toEqual({});
      } finally {
        await server.start();
      }
      await server.setAnnotation("node-a", key, "172.20.3.0/24");
      expect(await add(ipam)).toEqual(["172.20.3.2"]);
    }, 120_000);

    const noKubectl = whatLacks(kubectl());
    it.skipIf(noKubectl.some)(`kubectl annotate decides about the next ADD${noKubectl.words}`, async () => {
      const place = mkdtempSync(join(folder, "kubectl-"));
      writeFileSync(join(place, "admin"), await server.kubeconfigFor({ kind: "admin" }));
      const annotate = (...words: string[]) =>
        execa(kubectl().path as string, ["annotate", ...words], {
          env: { KUBECONFIG: join(place, "admin"), KUBECACHEDIR: join(place, "cache"), HOME: place },
        });
      const ipam = { kubeconfig: await kubeconfigOf(kubelet), annotation: key };

      await annotate("node", "node-a", `${key}=172.20.2.0/24,fd00::2:0:0/96`);
      expect(await add(ipam, "first")).toEqual(["172.20.2.2", "fd00::2:0:2"]);
      await expect(annotate("node", "node-a", `${key}=172.20.4.0/24`)).rejects.toThrow("--overwrite");
      await annotate("--overwrite", "node", "node-a", `${key}=172.20.4.10-172.20.4.19/24`);
      expect(await add(ipam)).toEqual(["172.20.4.10"]);
      await annotate("node", "node-a", `${key}-`);
      const details = expect.stringContaining(`kubectl annotate node node-a ${key}=`);
      expect(await refuse(ipam)).toMatchObject({
        code: 103,
        msg: `Node node-a has no annotation ${key}`,
        details,
      });
      expect(Object.keys(leases())).toEqual(["172.20.2.2", "172.20.4.10", "fd00::2:0:2"]);
      expectSilence(await call("DEL", ipam, "first"));
      expect(Object.keys(leases())).toEqual(["172.20.4.10"]);
    });
  });
});
