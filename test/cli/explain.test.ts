// kube-node explain: who holds what, of real leases and records.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { lack, makeOperatorsNode, type OperatorsNode, type TestPod, transcript } from "./parts/node.ts";

const key = "example.com/net2";
const spec = {
  podCIDRs: ["10.1.0.0/24", "fd00:1::/64"],
  annotations: { [key]: "172.16.5.10-172.16.5.99/24" },
};
const web: TestPod = { name: "default/web-0", id: "3f2a6f5c9e0147d8" };
const twin: TestPod = { name: "shop/web-0", id: "77ab01c2d3e4f506" };
const second: TestPod = { ...web, ifname: "net1", network: "net2", ipam: { annotation: key } };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals("kube-node explain", (subject) => {
  describe.skipIf(lack.some)(`on a machine with pods${lack.words}`, () => {
    async function make(): Promise<OperatorsNode> {
      const node = await makeOperatorsNode(server, subject, spec);
      for (const pod of [web, twin, second]) await node.attach(pod);
      return node;
    }

    it("tells of addresses, pods and containers", async () => {
      const node = await make();
      const subjects = ["10.1.0.2", "default/web-0", "77ab", "10.1.0.7", "172.16.5.5", "192.0.2.1", "nobody"];
      const told: string[] = [];
      for (const one of subjects) told.push(transcript(["explain", one], await node.run("explain", one)));
      await expect(told.join("\n")).toMatchFileSnapshot("golden/explain.txt");
    });

    it.each([
      ["fd00:1:0::3", 0, "pod shop/web-0 holds 10.1.0.3 and fd00:1::3 in network net1"],
      ["10.1.0.1", 1, "it is the gateway"],
      ["10.1.0.0", 1, "it is the network's own address"],
      ["10.1.0.255", 1, "it is the broadcast address"],
      ["fd00:1::ffff", 1, "it is free"],
      ["172.16.5.100", 1, "inside the subnet 172.16.5.0/24, outside of what host-local gives"],
      [web.id, 0, "pod default/web-0 holds 172.16.5.10 in network net2"],
      ["shop/nobody", 1, "looked in networks: net1, net2"],
    ])("%s: exit code %i, %s", async (asked, exitCode, words) => {
      const node = await make();
      const answer = await node.run("explain", asked);
      expect(answer.stdout).toContain(words);
      expect(answer.exitCode).toBe(exitCode);
    });

    it.each([
      ["::ffff:10.1.0.2", "::ffff:10.1.0.2 is an IPv4 address written as IPv6: write it as IPv4, 10.1.0.2"],
      ["::ffff:a01:2", "::ffff:a01:2 is an IPv4 address written as IPv6: write it as IPv4, 10.1.0.2"],
      ["10.1.0.0/24", "10.1.0.0/24 is a network: name one address"],
      ["fd00:1::/64", "fd00:1::/64 is a network: name one address"],
    ])("%s is no subject: it says what to name", async (asked, words) => {
      const node = await make();
      expect(await node.run("explain", asked)).toMatchObject({
        exitCode: 2,
        stdout: "",
        stderr: `kube-node: ${words}\n`,
      });
    });

    it("tells of every pod that a bare name may mean, and of one alone where its namespace is given", async () => {
      const node = await make();
      const both = (await node.run("explain", "web-0")).stdout;
      expect(both.match(/^pod \S+ holds/gm)).toEqual([
        "pod default/web-0 holds",
        "pod shop/web-0 holds",
        "pod default/web-0 holds",
      ]);
      expect((await node.run("explain", "shop/web-0")).stdout.match(/^pod \S+ holds/gm)).toHaveLength(1);
    });

    it("has a shape of JSON that stays", async () => {
      const node = await make();
      const ask = async (one: string) => JSON.parse((await node.run("explain", one, "-o", "json")).stdout);
      const { leases, places } = await ask("shop/web-0");
      expect(leases.map(({ address }: { address: string }) => address)).toEqual(["10.1.0.3", "fd00:1::3"]);
      expect(leases[0]).toEqual({
        network: "net1",
        dataDir: expect.any(String),
        address: "10.1.0.3",
        pod: expect.objectContaining({ namespace: "shop", name: "web-0" }),
        containerID: twin.id,
        interface: "eth0",
        since: expect.any(String),
        state: "live",
        reason: expect.any(String),
        netns: expect.any(String),
        delegate: "host-local",
      });
      expect(places).toEqual([]);
      expect(await ask("10.1.0.1")).toEqual({
        leases: [],
        places: [{ network: "net1", subnet: "10.1.0.0/24", is: "the gateway: host-local never gives it" }],
      });
    });

    it("tells of an address that is leased to nobody", async () => {
      const node = await make();
      writeFileSync(join(node.stores, "net1/10.1.0.9"), "");
      expect(await node.run("explain", "10.1.0.9")).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/is taken in network net1, for nobody: .*10\.1\.0\.9 is empty/),
      });
    });
  });
});
