// The node's commands on a network of a pool's.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { makePooledWorker } from "../real/parts/pooled-worker.ts";
import { privateMounts } from "../real/parts/private-mounts.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { makePerson } from "./person.ts";

const lack = whatLacks(privateMounts());
const block = { subnet: "10.1.0.10/31", ranges: ["10.1.0.10-10.1.0.11"] };
const ipam = { pool: "a" };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals("the commands on a network of a pool's", (subject) => {
  describe.skipIf(lack.some)(`as people type them${lack.words}`, () => {
    const make = async (holdsFor = 3600) => {
      const worker = await makePooledWorker(server, subject);
      await worker.give({ blocks: [block], holdsFor });
      const command = (program: Parameters<typeof subject.executable.command>[0]) =>
        worker.wrap(subject.executable.command(program));
      const person = makePerson(worker, { ...subject.executable, command });
      return { worker, person, conf: person.write(ipam) };
    };

    it("ranges shows the block as pods are told of it", async () => {
      const { worker, person, conf } = await make();
      await worker.add({ ipam });
      const { stdout } = await person.run("ranges", conf);
      expect(stdout).toContain(`Network net1: IPPool a of Node ${worker.name}`);
      expect(stdout.replaceAll(/ +/g, " ")).toContain("10.1.0.10-10.1.0.11/31 10.1.0.10 10.1.0.11 2 1 1");
      const { json } = await person.run("ranges", "-o", "json", conf);
      const { ranges } = json as { ranges: object[] };
      expect(ranges).toEqual([
        {
          ...{ subnet: "10.1.0.10/31", rangeStart: "10.1.0.10", rangeEnd: "10.1.0.11", block: "ippool.a.0" },
          ...{ first: "10.1.0.10", last: "10.1.0.11", set: 0, size: 2, used: 1, free: 1 },
        },
      ]);
    });

    it("synthesize shows what host-local gets, and of which pool it is", async () => {
      const { worker, person, conf } = await make();
      const { json, stderr } = await person.run("synthesize", conf);
      const pool = { block: "ippool.a.0", prefix: 31 };
      const range = {
        subnet: "10.1.0.8/30",
        rangeStart: "10.1.0.10",
        rangeEnd: "10.1.0.11",
        gateway: "10.1.0.8",
        pool,
      };
      expect(json).toMatchObject({ ipam: { type: "host-local", ranges: [[range]] } });
      expect(json).not.toHaveProperty("ipam.pool");
      expect(stderr).toContain(`IPPool a of Node ${worker.name}, asked now`);
      expect(stderr).toMatch(/ipam\.pool +configuration; for us, not passed on/);
    });

    it("explain names the block that an address is of", async () => {
      const { worker, person } = await make();
      await worker.add({ ipam });
      const { stdout } = await person.run("explain", "--data-dir", worker.dataDir, "10.1.0.10");
      expect(stdout).toContain("of ippool.a.0, 10.1.0.10-10.1.0.11/31, range set 1 of 1, no gateway");
      const free = await person.run("explain", "--data-dir", worker.dataDir, "10.1.0.11");
      expect(free.stdout).toContain("it is free: host-local may give it");
    });

    it("STATUS and doctor say what an ADD would: no block, and blocks that hold no longer", async () => {
      const { worker, person, conf } = await make(0);
      const config = { cniVersion: "1.1.0" };
      await worker.pass("STATUS", { ipam, config });
      await beginOutage(server);
      expect(await worker.fail("STATUS", { ipam, config })).toMatchObject({
        code: 50,
        msg: expect.stringContaining("the blocks of IPPool a hold no longer"),
      });
      expect((await person.run("doctor", conf)).stdout).toContain("the blocks of IPPool a hold no longer");
      expect((await person.run("ranges", conf)).stdout).toContain(
        "blocks of pools are no longer this node's",
      );
      await server.fault(null);
      await worker.annotate("ippool.ipam.kube-node.io/a", null);
      expect(await worker.fail("STATUS", { ipam, config })).toMatchObject({
        code: 50,
        msg: expect.stringContaining("has no block of IPPool a"),
        details: expect.stringContaining("kubectl get ippool a"),
      });
      expect((await person.run("doctor", conf)).stdout).toContain("has no block of IPPool a");
    });

    it("try leaves nothing behind", async () => {
      const { worker, person, conf } = await make();
      const answer = await person.run("try", conf);
      expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
      expect(answer.stdout).toContain("10.1.0.1");
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    });

    it("check-config reads a Node's blocks as the plugin does", async () => {
      const { worker, person } = await make();
      const node = await server.getNode(worker.name);
      const good = person.write({}, { ...node, apiVersion: "v1", kind: "Node" }, "node.json");
      expect(await person.run("check-config", good)).toMatchObject({ exitCode: 0 });
      await worker.annotate("ippool.ipam.kube-node.io/a", '{"version": 2}');
      const bad = { ...(await server.getNode(worker.name)), apiVersion: "v1", kind: "Node" };
      expect(await person.run("check-config", person.write({}, bad, "node.json"))).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining(
          "annotation ippool.ipam.kube-node.io/a: version: expected 1, found 2",
        ),
      });
    });
  });
});
