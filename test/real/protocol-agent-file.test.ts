// The node agent's file in /run/kube-node: as fresh as a watch while the agent lives, and worth nothing after that.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin } from "../parts/plugin.ts";
import { whatLacks } from "../parts/tools.ts";
import { key, makeAnnotatedNode } from "./parts/annotated-node.ts";
import { beginOutage } from "./parts/outage.ts";
import { privateMounts, withMounts } from "./parts/private-mounts.ts";
import { listLeases } from "./parts/store.ts";
import { describeSubjects, rowsFor } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const machineID = readFirstLine("/etc/machine-id");
const lack = whatLacks(privateMounts(), machineID === "" ? { missing: "/etc/machine-id" } : {});

const ofAgent = ["10.5.0.0/24"];
const ofServer = ["10.1.0.0/24"];
const trusted = ["10.5.0.2"];
const asked = ["10.1.0.2"];

/** What an agent writes; null: no such file. A text stands for itself. */
type Written = { alive?: object | string | null; node?: object; document?: object | string | null };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("the agent's file", (subject) => {
  const make = () => makeWorker(server, subject, { podCIDRs: ofServer });

  /** What a call needs to find the agent's files. */
  function writeAgent(worker: Worker, { alive, node, document }: Written = {}) {
    const run = join(worker.folder, "run");
    mkdirSync(join(run, "kube-node"), { recursive: true });
    const own = { name: worker.name, uid: "u1", machineID, podCIDRs: ofAgent, annotations: {}, ...node };
    write(join(run, "kube-node/alive"), alive, { bootID: bootID(), heardAt: uptime() });
    write(join(run, "kube-node/node.json"), document, { version: 1, node: own });
    return { wrap: (command: string[]) => withMounts({ "/run": run }, command) };
  }

  describe.skipIf(lack.some)(`of a living agent${lack.words}`, () => {
    it("is the word on podCIDRs and annotations, without a request", async () => {
      const worker = await make();
      const agent = writeAgent(worker, { node: { annotations: { net1: "10.6.0.0/24" } } });
      expect(await worker.add(agent)).toEqual(trusted);
      expect(await worker.add({ ...agent, ipam: { annotation: "net1" }, id: "c2" })).toEqual(["10.6.0.2"]);
      expect(await worker.fail("ADD", { ...agent, ipam: { annotation: "net2" }, id: "c3" })).toMatchObject({
        code: 103,
        msg: `Node ${worker.name} has no annotation net2`,
      });
      await worker.pass("STATUS", { ...agent, config: { cniVersion: "1.1.0" } });
      expect(worker.requests()).toEqual([]);
    });

    it("counts without an API server, and without a kubeconfig", async () => {
      const worker = await make();
      await beginOutage(server);
      const kubeconfig = "/nowhere";
      expect(await worker.add({ ...writeAgent(worker), ipam: { kubeconfig } })).toEqual(trusted);
      expect(worker.log()).toEqual([]);
    });

    it("tells DEL in which dataDir an original's lease lies, before any ADD of ours", async () => {
      const node = await makeAnnotatedNode(server, subject);
      const dataDir = join(node.worker.folder, "leases");
      const ranges = [[{ subnet: "10.6.0.0/24" }]];
      const annotations = { [key]: JSON.stringify({ ranges, dataDir }).slice(1, -1) };
      const agent = writeAgent(node.worker, { node: { annotations } });
      const ipam = { type: "host-local", dataDir, ranges };
      const call = { containerID: "c1", ifname: "eth0", netns: "/var/run/netns/none" };
      const { exitCode } = await callPlugin({
        ...{ command: [subject.hostLocal.path], verb: "ADD", path: subject.hostLocal.folder, ...call },
        stdin: { cniVersion: "1.0.0", name: "mynet", ipam },
      });
      expect([exitCode, listLeases(join(dataDir, "mynet"))]).toEqual([0, { "10.6.0.2": "c1 eth0" }]);
      await node.pass("DEL", agent);
      expect([listLeases(join(dataDir, "mynet")), node.worker.requests()]).toEqual([{}, []]);
    });

    it("counts for the Node that is named, and for no other", async () => {
      const worker = await make();
      const other = await makeWorker(server, subject, { podCIDRs: ["10.8.0.0/24"] });
      const agent = writeAgent(worker);
      const named = (name: string) => ({ ...agent, ipam: { nodeName: name, kubeconfig: other.kubeconfig } });
      expect(await worker.add({ ...named(worker.name) })).toEqual(trusted);
      expect(worker.requests()).toEqual([]);
      expect(await worker.add({ ...named(other.name), id: "c2" })).toEqual(["10.8.0.2"]);
    });

    it("is gated", async () => {
      const worker = await make();
      const agent = writeAgent(worker, { node: { podCIDRs: ["fd00:5::/64", ...ofAgent] } });
      const gated = { ...agent, ipam: { "ipv4-namespaces": ["db"] } };
      expect(await worker.add({ ...gated, namespace: "web" })).toEqual(["fd00:5::2"]);
    });
  });

  const untrusted: [what: string, written: () => Written][] = [
    ["an agent silent for 20 s", () => ({ alive: { bootID: bootID(), heardAt: uptime() - 20 } })],
    ["an agent of an earlier boot", () => ({ alive: { bootID: "earlier", heardAt: uptime() } })],
    ["a time to come", () => ({ alive: { bootID: bootID(), heardAt: uptime() + 60 } })],
    ["no time", () => ({ alive: { bootID: bootID() } })],
    ["no sign of life", () => ({ alive: null })],
    ["a damaged sign of life", () => ({ alive: '{"bootID' })],
    ["no Node", () => ({ document: null })],
    ["a damaged Node", () => ({ document: '{"version": 1, "node": {"name"' })],
    ["a version of later days", () => ({ document: { version: 2, node: {} } })],
    ["a Node without annotations", () => ({ node: { annotations: null } })],
    ["another machine's Node", () => ({ node: { machineID: "another" } })],
  ];

  it.skipIf(lack.some).each(rowsFor(subject, untrusted))(
    `isn't trusted with %s: the API server is asked${lack.words}`,
    async (_, written) => {
      const worker = await make();
      expect(await worker.add(writeAgent(worker, written()))).toEqual(asked);
      expect(worker.requests()).toHaveLength(1);
    },
  );
});

function write(path: string, content: object | string | null | undefined, usual: object): void {
  if (content === null) return;
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content ?? usual));
}

function bootID(): string {
  return readFirstLine("/proc/sys/kernel/random/boot_id");
}

function uptime(): number {
  return Number.parseFloat(readFirstLine("/proc/uptime"));
}

function readFirstLine(path: string): string {
  try {
    return readFileSync(path, "utf8").split("\n")[0] ?? "";
  } catch {
    return "";
  }
}
