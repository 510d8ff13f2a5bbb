// kube-node show: real leases of the real host-local, joined with the records of pods that live in real namespaces.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { addressesIn } from "../real/parts/answers.ts";
import { editJson } from "../real/parts/store.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { lack, makeOperatorsNode, type OperatorsNode, type TestPod, transcript } from "./parts/node.ts";

const key = "example.com/net2";
const spec = {
  podCIDRs: ["10.1.0.0/24", "fd00:1::/64"],
  annotations: { [key]: "172.16.5.10-172.16.5.99/24" },
};
const web: TestPod = { name: "default/web-0", id: "3f2a6f5c9e0147d8" };
const shop: TestPod = { name: "shop/cart-7c9b", id: "77ab01c2d3e4f506" };
const old: TestPod = { name: "shop/cart-old", id: "99887766554433aa" };
const second: TestPod = { ...web, ifname: "net1", network: "net2", ipam: { annotation: key } };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

type Shown = { networks: { leases: { address: string; state: string }[]; ranges: { free: number }[] }[] };

/** Two who live, one of them in two networks; one of an earlier boot; one that another plugin leased. */
async function populate(node: OperatorsNode): Promise<void> {
  for (const pod of [web, shop, old, second]) await node.attach(pod);
  editJson(node.recordOf(old), { bootID: "an earlier one" });
  addressesIn(await node.hostLocal("ADD", "0badc0ffee00"));
}

describeHostLocals("kube-node show", (subject) => {
  describe.skipIf(lack.some)(`on a machine with pods${lack.words}`, () => {
    const make = () => makeOperatorsNode(server, subject, spec);

    it("shows who holds what, and what is left", async () => {
      const node = await make();
      await populate(node);
      const words = ["show"];
      await expect(transcript(words, await node.run(...words))).toMatchFileSnapshot("golden/show.txt");
    });

    it("shows it to scripts, in a shape that stays", async () => {
      const node = await make();
      await populate(node);
      const { json } = await node.run("show", "--network=net1", "-o", "json");
      expect((json as Shown).networks[0]?.leases[0]).toEqual({
        address: "10.1.0.2",
        pod: { namespace: "default", name: "web-0", uid: "uid-web-0" },
        containerID: web.id,
        interface: "eth0",
        since: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/),
        state: "live",
        reason: expect.stringContaining("is there"),
        netns: expect.stringMatching(/^\/var\/run\/netns\//),
        delegate: "host-local",
      });
      const { leases, ...network } = (json as Shown).networks[0] as Shown["networks"][0];
      expect(network).toEqual({
        network: "net1",
        dataDir: "/var/lib/cni/networks",
        ranges: [
          { subnet: "10.1.0.0/24", size: 253, used: 4, free: 249 },
          { subnet: "fd00:1::/64", size: 2 ** 64, used: 3, free: 2 ** 64 },
        ],
      });
      expect(Object.fromEntries(leases.map(({ address, state }) => [address, state]))).toEqual({
        "10.1.0.2": "live",
        "10.1.0.3": "live",
        "10.1.0.4": "dead",
        "10.1.0.5": "unknown",
        "fd00:1::2": "live",
        "fd00:1::3": "live",
        "fd00:1::4": "dead",
      });
    });

    it("counts as host-local does: what is free can be given, and then no more", async () => {
      const node = await makeOperatorsNode(server, subject, { podCIDRs: ["10.1.0.0/29"] });
      const free = async () => {
        const { json } = await node.run("show", "-o", "json");
        return (json as Shown).networks[0]?.ranges[0]?.free;
      };
      await node.attach(web);
      const left = (await free()) as number;
      expect(left).toBe(4);
      for (let index = 0; index < left; index++) await node.attach({ ...shop, id: `filler${index}` });
      expect(await free()).toBe(0);
      expect((await node.call("ADD", old)).stdout).toContain("no IP addresses available");
    });

    it("shows leases of the old form, empty ones, and what could steer a terminal as it is written", async () => {
      const node = await make();
      const store = join(node.stores, "net1");
      mkdirSync(store, { recursive: true });
      writeFileSync(join(store, "10.1.0.77"), "0ldcontainer");
      writeFileSync(join(store, "10.1.0.78"), "");
      writeFileSync(join(store, "10.1.0.79"), "a\u001b[2Jb\r\neth0");
      const { stdout, exitCode } = await node.run("show");
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/10\.1\.0\.77 +- +0ldcontainer +- .* unknown$/m);
      expect(stdout).toMatch(/10\.1\.0\.78 .* empty$/m);
      expect(stdout).toMatch(/10\.1\.0\.79 +- +a\\x1b\[2Jb +eth0 /m);
    });

    it("finds a network whose configuration names another dataDir", async () => {
      const node = await make();
      const elsewhere = join(node.worker.folder, "elsewhere");
      await node.attach({ ...web, network: "far", ipam: { dataDir: elsewhere } });
      const configurations = join(node.worker.folder, "net.d");
      mkdirSync(configurations);
      const list = {
        name: "far",
        plugins: [{ type: "bridge", ipam: node.worker.ipam({ dataDir: elsewhere }) }],
      };
      writeFileSync(join(configurations, "10-far.conflist"), JSON.stringify(list));
      writeFileSync(join(configurations, "20-broken.conf"), "{");
      const { stdout, stderr } = await node.run("show", `--conf-dir=${configurations}`);
      expect(stdout).toMatch(/^far +10\.1\.0\.2 +default\/web-0 /m);
      expect(stderr).toMatch(/20-broken\.conf is passed over.*check-config/);
      expect((await node.run("show", `--data-dir=${elsewhere}`)).stdout).toContain("default/web-0");
    });

    it("says which networks there are where one isn't", async () => {
      const node = await make();
      await node.attach(web);
      const { exitCode, stdout, stderr } = await node.run("show", "--network=nte1");
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
      expect(stderr).toBe("kube-node: there is no network nte1 on this machine: found net1\n");
    });

    it.each(["show", "audit", "explain"])(
      "%s says so where the folder that was named isn't one",
      async (command) => {
        const node = await make();
        const words = command === "explain" ? [command, "10.1.0.2"] : [command];
        for (const [folder, says] of [
          ["/nope", "there is no such folder"],
          ["/etc/passwd", "it is no folder"],
        ]) {
          const { exitCode, stdout, stderr } = await node.run(...words, `--data-dir=${folder}`);
          expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
          expect(stderr).toMatch(new RegExp(`^kube-node: --data-dir ${folder}: ${says}: expected .*\n$`));
        }
      },
    );

    it("knows what the API server said last, where no pod is left", async () => {
      const node = await make();
      await node.attach(web);
      expect((await node.call("DEL", web)).exitCode).toBe(0);
      const { stdout, stderr } = await node.run("show");
      expect(stderr).toBe("nobody holds an address here\n");
      expect(stdout).toMatch(/^NETWORK +RANGE .*\nnet1 +10\.1\.0\.0\/24 +253 +0 +253\nnet1 +fd00:1::\/64 /);
      expect((await node.run("explain", "10.1.0.1")).stdout).toContain("it is the gateway");
    });

    it("says so where there is nothing", async () => {
      const node = await make();
      expect(await node.run("show")).toMatchObject({
        exitCode: 0,
        stdout: "",
        stderr: "nobody holds an address here\n",
      });
    });

    it("leaves out a network whose state somebody has replaced, and shows the others", async () => {
      const node = await make();
      await node.attach(web);
      await node.attach(second);
      const own = join(node.stores, ".kube-node/net2");
      renameSync(own, join(node.worker.folder, "moved"));
      symlinkSync(join(node.worker.folder, "moved"), own);
      const { exitCode, stdout, stderr } = await node.run("show");
      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/^net1 +10\.1\.0\.2 /m);
      expect(stderr).toMatch(/warning: network net2 is left out: .*not a folder of this user's/);
    });
  });
});
