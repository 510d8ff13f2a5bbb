// "Mend: kube-node", items 8 to 10 and 14: how the cluster is asked, and what is read there.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { privateMounts, withMounts } from "./parts/private-mounts.ts";
import { putRecorder } from "./parts/recorder.ts";
import { describeSubjects, onlyCompiled } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const key = "example.com/net1";
const lackOfMounts = whatLacks(privateMounts());

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("mended in kube-node: the cluster", (subject) => {
  const itCompiled = onlyCompiled(subject);

  const make = (spec: Parameters<typeof makeWorker>[2] = { podCIDRs }) => makeWorker(server, subject, spec);
  const annotated = (value: string) => make({ annotations: { [key]: value } });
  const ipam = { annotation: key };

  it("8: a bad kubeconfig is a CNI error on stdout, with file and key", async () => {
    const worker = await make();
    const cases = [
      ["absent", undefined, "is absent"],
      ["broken", "clusters: [}", "line 1, column"],
      ["empty", "{}", "current-context is missing"],
    ] as const;
    for (const [name, text, words] of cases) {
      const kubeconfig = join(worker.folder, name);
      if (text !== undefined) writeFileSync(kubeconfig, text);
      const failure = await worker.fail("ADD", { ipam: { kubeconfig } });
      expect(failure).toMatchObject({ code: 7, msg: "the Node's address ranges are not known" });
      for (const part of [kubeconfig, words]) expect(failure.details).toContain(part);
    }
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it.skipIf(lackOfMounts.some)(
    `9: ipam.kubeconfig beats the configuration in the cluster${lackOfMounts.words}`,
    async () => {
      const worker = await make();
      const inCluster = await serviceAccountFolder(worker);
      const users = (from: number) => server.requests.slice(from).map(({ user }) => user);
      let before = server.requests.length;
      await worker.add({ ...inCluster, ipam: { kubeconfig: undefined, cacheTTL: 0 } });
      expect(users(before)).toEqual(["system:serviceaccount:kube-system:kube-node"]);
      before = server.requests.length;
      await worker.add({ ...inCluster, ipam: { cacheTTL: 0 }, id: "c2" });
      expect(users(before)).toEqual([`system:node:${worker.name}`]);
    },
  );

  itCompiled("10: the own Node is read by its name, with a GET, and no other", async () => {
    const worker = await make();
    const all = await make({
      podCIDRs,
      identity: { kind: "serviceAccount", namespace: "kube-system", name: "all", mayRead: "all" },
    });
    const get = (name: string) => `GET /api/v1/nodes/${name}`;
    await worker.add();
    expect(worker.requests()).toEqual([get(worker.name)]);
    await all.add({ env: { NODE_NAME: all.name } });
    await all.add({ ipam: { nodeName: worker.name }, id: "c2" });
    expect(all.requests()).toEqual([worker.name, all.name, worker.name].map(get));
  });

  it("14: blanks in the annotation don't matter", async () => {
    const worker = await annotated(" 10.2.0.0/24 ,\tfd00:2::/64\n");
    expect(await worker.add({ ipam })).toEqual(["10.2.0.2", "fd00:2::2"]);
  });

  it.each([
    [
      "host bits",
      "fd00:2::/64,10.2.0.7/24",
      "at character 13: 10.2.0.7/24 has host bits set: write 10.2.0.0/24",
    ],
    ["/31", "10.2.0.0/31", "at character 1: 10.2.0.0/31 is too small"],
    ["a v4-mapped prefix", " ::ffff:10.2.0.0/120", "at character 2: ::ffff:10.2.0.0/120 is an IPv4 network"],
    ["one family twice", "10.2.0.0/24, 10.3.0.0/24", "at character 14: a second IPv4 network"],
  ])("14: %s in the annotation is found before the delegate runs", async (_, value, words) => {
    const worker = await annotated(value);
    const recorder = putRecorder(worker, subject, "host-local");
    expect(await worker.fail("ADD", { ipam })).toMatchObject({
      code: 103,
      msg: `annotation ${key} of Node ${worker.name} is malformed`,
      details: expect.stringContaining(words),
    });
    expect(recorder.calls()).toEqual([]);
  });
});

/** What a pod with a ServiceAccount finds in its environment and files. */
async function serviceAccountFolder(worker: Worker) {
  const folder = join(worker.folder, "run/secrets/kubernetes.io/serviceaccount");
  const { token = "" } = await server.credentialsFor({
    kind: "serviceAccount",
    namespace: "kube-system",
    name: "kube-node",
    mayRead: [worker.name],
    boundTo: worker.name,
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "token"), token);
  writeFileSync(join(folder, "ca.crt"), server.authority);
  const { hostname, port } = new URL(server.url);
  return {
    env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    wrap: (command: string[]) => withMounts({ "/run": join(worker.folder, "run") }, command),
  };
}
