// What a configuration must not say: host-local's own words for ranges, and a path for a program that root runs.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin } from "../parts/plugin.ts";
import { addressesIn } from "./parts/answers.ts";
import { putRecorder } from "./parts/recorder.ts";
import { describeHostLocals, describeSubjects, rowsFor } from "./parts/subjects.ts";
import { makeWorker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24"];
const foreign = "10.66.0.0/24";

// Go's encoding/json takes keys in any letter case, and ſ (U+017F) for s, K (U+212A) for k.
const reserved: [key: string, value: unknown][] = [
  ["ranges", [[{ subnet: foreign }]]],
  ["Ranges", [[{ subnet: foreign }]]],
  ["RANGES", [[{ subnet: foreign }]]],
  ["range\u017f", [[{ subnet: foreign }]]],
  ["ranges", null],
  ["subnet", foreign],
  ["Subnet", foreign],
  ["\u017fubnet", foreign],
  ["\u017fUBNET", foreign],
  ["rangeStart", "10.1.0.66"],
  ["rangestart", "10.1.0.66"],
  ["range\u017ftart", "10.1.0.66"],
  ["rangeEnd", "10.1.0.66"],
  ["RANGEEND", "10.1.0.66"],
  ["gateway", "10.1.0.66"],
  ["GateWay", "10.1.0.66"],
];

const otherSpellings = [
  "IPAM",
  "Ipam",
  "Name",
  "cniver\u017fion",
  "CNIVersion",
  "ARGS",
  "arg\u017f",
  "RuntimeConfig",
];

const badPrograms = [
  "/usr/bin/env",
  "../host-local",
  "./host-local",
  "bin/host-local",
  "kube-node",
  "node-annotation",
  "..",
  ".",
  "host local",
  7,
  ["host-local"],
];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals("host-local itself", (subject) => {
  it.each(["range\u017f", "RANGES"])(
    "takes its ranges from %s, which is why that is reserved",
    async (key) => {
      const worker = await makeWorker(server, subject);
      const ipam = { type: "host-local", dataDir: worker.dataDir, [key]: [[{ subnet: foreign }]] };
      const answer = await callPlugin({
        command: [subject.hostLocal.path],
        verb: "ADD",
        containerID: "c1",
        ifname: "eth0",
        netns: "/var/run/netns/none",
        path: "/nowhere",
        stdin: { cniVersion: "1.0.0", name: "net1", ipam },
      });
      expect(addressesIn(answer)).toEqual(["10.66.0.2"]);
    },
  );
});

describeSubjects("refused in a configuration", (subject) => {
  const make = async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    return { worker, recorder: putRecorder(worker, subject, "host-local") };
  };

  it.each(rowsFor(subject, reserved))("ipam.%s, a word of host-local's for ranges", async (key, value) => {
    const { worker, recorder } = await make();
    const ipam = { [key]: value };
    const failure = await worker.fail("ADD", { ipam });
    expect(failure).toMatchObject({
      code: 7,
      details: expect.stringContaining(`ipam.${key}: not allowed here`),
    });
    expect(failure.details).toContain("annotate the Node instead");
    await worker.pass("DEL", { ipam });
    expect([recorder.calls(), worker.leases(), worker.requests()]).toEqual([["DEL"], {}, []]);
    expect(JSON.stringify(recorder.stdin("DEL"))).not.toMatch(/10\.66\.0|10\.1\.0\.66/);
  });

  it.each(rowsFor(subject, ["ipRanges", "IPRanges", "iprange\u017f"]))("runtimeConfig.%s", async (key) => {
    const { worker, recorder } = await make();
    const config = { runtimeConfig: { [key]: [[{ subnet: foreign }]], ips: ["10.1.0.9"] } };
    expect(await worker.fail("ADD", { config })).toMatchObject({
      code: 7,
      msg: `runtimeConfig.${key} is not allowed`,
      details: expect.stringContaining("annotate the Node instead"),
    });
    await worker.pass("DEL", { config });
    expect([recorder.calls(), worker.leases(), worker.requests()]).toEqual([["DEL"], {}, []]);
  });

  it.each(rowsFor(subject, otherSpellings))("%s, another spelling of a key that is there", async (key) => {
    const { worker, recorder } = await make();
    const config = { [key]: { type: "host-local", ranges: [[{ subnet: foreign }]] } };
    expect(await worker.fail("ADD", { config })).toMatchObject({
      code: 7,
      msg: `unexpected key ${JSON.stringify(key)}`,
      details: expect.stringMatching(/^write it "(ipam|name|cniVersion|args|runtimeConfig)"$/),
    });
    expect([recorder.calls(), worker.leases()]).toEqual([[], {}]);
  });

  it.each(rowsFor(subject, ["kubeConfig", "ANNOTATION", "Annotation", "nextIPAM"]))(
    "a key of ours twice, once as %s",
    async (key) => {
      const { worker, recorder } = await make();
      const twice = { annotation: "net1", nextipam: "host-local", [key]: "other" };
      expect(await worker.fail("ADD", { ipam: twice })).toMatchObject({
        code: 7,
        details: expect.stringContaining(`ipam.${key}: the same key as`),
      });
      expect([recorder.calls(), worker.leases()]).toEqual([[], {}]);
    },
  );

  it("in a configuration that was good at ADD: DEL frees all the same", async () => {
    for (const wrong of [
      { ipam: { subnet: foreign } },
      { ipam: { nextipam: "/bin/x" } },
      { ipam: { cacheTTL: "x" } },
    ]) {
      const { worker } = await make();
      expect(await worker.add()).toEqual(["10.1.0.2"]);
      expect(await worker.fail("CHECK", wrong)).toMatchObject({ code: 7 });
      await worker.pass("DEL", wrong);
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    }
  });

  it("a key of ours once, in any letter case, is taken as in the original", async () => {
    const { worker } = await make();
    await worker.annotate("net1", "10.2.0.0/24");
    const ipam = { kubeconfig: undefined, "\u212aubeConfig": worker.kubeconfig, ANNOTATION: "net1" };
    expect(await worker.add({ ipam })).toEqual(["10.2.0.2"]);
  });

  it.each(rowsFor(subject, badPrograms))("nextipam %j", async (nextipam) => {
    const { worker, recorder } = await make();
    expect(await worker.fail("ADD", { ipam: { nextipam } })).toMatchObject({
      code: 7,
      details: expect.stringContaining("ipam.nextipam: expected"),
    });
    expect([recorder.calls(), worker.leases(), worker.requests()]).toEqual([[], {}, []]);
  });

  it("nextipam that isn't in CNI_PATH: an error that names the folders, and no path of PATH is tried", async () => {
    const { worker } = await make();
    expect(await worker.fail("ADD", { ipam: { nextipam: "cat" } })).toMatchObject({
      code: 5,
      msg: "delegate plugin cat not found",
      details: expect.stringContaining(subject.hostLocal.folder),
    });
  });

  it("nothing that a null or an empty text stands for", async () => {
    const { worker } = await make();
    const ipam = { annotation: null, "ipv4-namespaces": null, nextipam: "", nodeName: "", cacheTTL: null };
    expect(await worker.add({ ipam })).toEqual(["10.1.0.2"]);
  });
});
