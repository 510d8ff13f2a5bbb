// What an API server does in the course of a call, beyond what test/plugin and test/real show of each fault by itself.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startSecureServer } from "../kube/strange-servers.ts";
import type { ApiServer, Identity } from "../parts/api-server.ts";
import { createAuthority } from "../parts/certificates.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { formatKubeconfig } from "../parts/kubeconfig.ts";
import { callPlugin } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { addressesIn, readFailure } from "../real/parts/answers.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { describeOne } from "../security/subject.ts";

const podCIDRs = ["10.1.0.0/24"];
const key = "example.com/net1";
const annotations = { [key]: "10.2.0.0/24" };
const ipam = { annotation: key };
const warning = "API server not available, going on with last-known ranges";

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeOne("the API server", (subject) => {
  const account = (more: object): Identity => ({
    kind: "serviceAccount",
    namespace: "kube-system",
    name: "cni",
    mayRead: "all",
    ...more,
  });

  describe.each([
    ["a client certificate", (node: string): Identity => ({ kind: "kubelet", node, expired: true })],
    ["a token", (): Identity => account({ expired: true })],
  ])("%s that has expired", (what, identityOf) => {
    it("nothing known: 11 and STATUS 50, with the reason; DEL without a request", async () => {
      const worker = await makeWorker(server, subject, { podCIDRs, identity: identityOf("worker-x") });
      const named = { ipam: { nodeName: worker.name } };
      const reason = {
        details: expect.stringMatching(
          what === "a token" ? /token expired on/ : /client certificate expired on/,
        ),
      };
      expect(await worker.fail("ADD", named)).toMatchObject({ code: 11, ...reason });
      expect(await worker.fail("STATUS", { ...named, config: { cniVersion: "1.1.0" } })).toMatchObject({
        code: 50,
        ...reason,
      });
      const asked = server.connections();
      await worker.pass("DEL", named);
      expect(server.connections()).toBe(asked);
    });

    it("last-known ranges: ADD goes on and says so in the log, DEL frees", async () => {
      const worker = await makeWorker(server, subject, { podCIDRs });
      const named = { ipam: { nodeName: worker.name, cacheTTL: 0 } };
      await worker.add(named);
      writeFileSync(worker.kubeconfig, await server.kubeconfigFor(identityOf(worker.name)));
      expect(await worker.add({ id: "c2", ...named })).toEqual(["10.1.0.3"]);
      expect(worker.log()).toMatchObject([{ msg: warning, reason: expect.stringContaining("expired on") }]);
      const asked = server.connections();
      for (const id of ["c1", "c2"]) await worker.pass("DEL", { id, ...named });
      expect([worker.leases(), server.connections()]).toEqual([{}, asked]);
    });
  });

  describe("that has too much to do, 429", () => {
    /** A server that refuses the first `times` requests with this Retry-After, and the worker that asks it. */
    async function prepare(times: number, retryAfter: string | undefined) {
      const worker = await makeWorker(server, subject, { annotations });
      const node = await server.getNode(worker.name);
      const authority = await createAuthority("busy");
      const asked: number[] = [];
      const busy = await startSecureServer(authority, (_, response) => {
        asked.push(Date.now());
        if (asked.length <= times)
          response.writeHead(429, retryAfter === undefined ? {} : { "retry-after": retryAfter }).end("busy");
        else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(node));
      });
      onTestFinished(() => busy.close());
      const access = { url: `https://127.0.0.1:${busy.port}`, authority: authority.certificate };
      writeFileSync(worker.kubeconfig, await formatKubeconfig(access, { token: "t" }));
      const call = (timeout: number) =>
        worker.call("ADD", { ipam: { ...ipam, nodeName: worker.name, timeout } });
      return { worker, asked, call };
    }

    it.each(["2", "in two seconds"])(
      "Retry-After: %s is waited for, and it is asked once more",
      async (words) => {
        const retryAfter =
          words === "2" ? words : new Date(Math.ceil(Date.now() / 1000) * 1000 + 3000).toUTCString();
        const { asked, call } = await prepare(1, retryAfter);
        expect(addressesIn(await call(15))).toEqual(["10.2.0.2"]);
        expect(asked).toHaveLength(2);
        // Without it the second question would have come after 200 ms.
        expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(1000);
      },
    );

    it.each(["3600", "Fri, 31 Dec 2199 23:59:59 GMT", "999999999999999999999"])(
      "Retry-After: %s is longer than the call: it ends at once, with what it knows",
      async (retryAfter) => {
        const { asked, call } = await prepare(99, retryAfter);
        const answer = await call(4);
        expect(readFailure(answer)).toMatchObject({ code: 11, details: expect.stringContaining("429") });
        expect(asked).toHaveLength(1);
        expect(answer.milliseconds).toBeLessThan(3000);
      },
    );

    it.each(["soon", "-5", "", undefined])(
      "Retry-After: %s is none: it is asked again, ever more seldom",
      async (retryAfter) => {
        const { asked, call } = await prepare(99, retryAfter);
        const answer = await call(6);
        expect(readFailure(answer)).toMatchObject({ code: 11 });
        expect(asked.length).toBeGreaterThanOrEqual(2);
        expect(asked.length).toBeLessThan(7);
        expect(answer.milliseconds).toBeLessThan(6000);
      },
    );
  });

  describe("restarted in the middle of an answer", () => {
    it("nothing known: it is asked again, and answers", async () => {
      const worker = await makeWorker(server, subject, { annotations });
      await beginOutage(server, "slowBytes");
      const adding = worker.call("ADD", { ipam });
      await expect.poll(() => worker.requests().length, { timeout: 10_000 }).toBe(1);
      await sleep(300);
      await server.stop();
      await server.fault(null);
      await server.start();
      expect(addressesIn(await adding)).toEqual(["10.2.0.2"]);
      expect(worker.requests()).toHaveLength(2);
    });

    it("ranges known: it isn't waited for", async () => {
      const worker = await makeWorker(server, subject, { annotations });
      await worker.add({ ipam });
      await beginOutage(server, "silent");
      const adding = worker.call("ADD", { id: "c2", ipam });
      await expect.poll(() => worker.requests().length, { timeout: 10_000 }).toBe(2);
      await server.stop();
      const answer = await adding;
      await server.fault(null);
      await server.start();
      expect(addressesIn(answer)).toEqual(["10.2.0.3"]);
      expect(worker.log()).toMatchObject([{ msg: warning }]);
    });

    it("a burst of 20 in it: everyone gets an address, whoever asked", async () => {
      const worker = await makeWorker(server, subject, { annotations });
      await beginOutage(server, "status503");
      const ids = Array.from({ length: 20 }, (_, i) => `c${i}`);
      const adding = Promise.all(ids.map((id) => worker.call("ADD", { id, ipam: { ...ipam, timeout: 60 } })));
      await expect.poll(() => worker.requests().length, { timeout: 20_000 }).toBeGreaterThan(0);
      await server.stop();
      await sleep(500);
      await server.fault(null);
      await server.start();
      const given = (await adding).flatMap(addressesIn);
      expect(new Set(given).size).toBe(20);
    }, 90_000);
  });
});

const noServer = reasonForNoRealApiServer();
const lack = whatLacks(noServer === undefined ? {} : { missing: `a real API server: ${noServer}` });

describe.skipIf(lack.some)(`a real API server${lack.words}`, () => {
  let real: ApiServer;
  let folder = "";
  beforeAll(async () => {
    real = await startRealApiServer();
    folder = mkdtempSync(join(tmpdir(), "restarted-"));
    await real.createNode({ name: "node-a", podCIDRs, annotations });
  }, 120_000);
  afterAll(async () => {
    await real?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describeOne("stopped and started", ({ executable, hostLocal }) => {
    it("a call that begins without it and knows nothing waits until it is back; those that know something don't", async () => {
      const kubeconfig = join(folder, "kubeconfig");
      writeFileSync(kubeconfig, await real.kubeconfigFor({ kind: "kubelet", node: "node-a" }), {
        mode: 0o600,
      });
      const dataDir = join(folder, "data");
      mkdirSync(dataDir);
      const logfile = join(folder, "log");
      const call = (id: string, name: string, verb = "ADD") =>
        callPlugin({
          command: executable.command("kube-node"),
          verb,
          containerID: id,
          ifname: "eth0",
          netns: "/var/run/netns/none",
          path: hostLocal.folder,
          stdin: {
            cniVersion: "1.0.0",
            name,
            ipam: { type: "kube-node", dataDir, kubeconfig, logfile, annotation: key, timeout: 120 },
          },
          timeoutMs: 110_000,
        });
      expect(addressesIn(await call("c1", "known"))).toEqual(["10.2.0.2"]);
      await real.stop();
      const waiting = call("c1", "unknown");
      expect(addressesIn(await call("c2", "known"))).toEqual(["10.2.0.3"]);
      expect(readFileSync(logfile, "utf8")).toContain(warning);
      expect((await call("c2", "known", "DEL")).exitCode).toBe(0);
      await real.start();
      expect(addressesIn(await waiting)).toEqual(["10.2.0.2"]);
    }, 180_000);
  });
});
