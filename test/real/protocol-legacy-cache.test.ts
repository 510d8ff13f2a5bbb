// The original's cache, as a drop-in finds it: last-known ranges until the API server first answers.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { beginOutage } from "./parts/outage.ts";
import { describeSubjects, rowsFor } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24"];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("the original's kube-node.json", (subject) => {
  const make = () => makeWorker(server, subject, { podCIDRs });
  const standIn = "API server not available, going on with the ranges of kube-node.json";
  const leave = (worker: Worker, content: unknown) => {
    mkdirSync(worker.dataDir, { recursive: true });
    const text = typeof content === "string" ? content : JSON.stringify(content);
    writeFileSync(join(worker.dataDir, "kube-node.json"), text);
  };
  const cache = (...subnets: string[]) => ({
    type: "host-local",
    ranges: subnets.map((subnet) => [{ subnet }]),
  });

  it("stands in where its dataDir serves one network", async () => {
    const worker = await make();
    leave(worker, cache("10.7.0.0/24", "fd00:7::/64"));
    mkdirSync(join(worker.dataDir, "net1"));
    await beginOutage(server);
    expect(await worker.add()).toEqual(["10.7.0.2", "fd00:7::2"]);
    expect(worker.log()).toMatchObject([{ level: 40, msg: standIn }]);
  });

  it("is gated as any other", async () => {
    const worker = await make();
    leave(worker, cache("10.7.0.0/24", "fd00:7::/64"));
    await beginOutage(server);
    expect(await worker.add({ ipam: { "ipv4-namespaces": ["db"] } })).toEqual(["fd00:7::2"]);
  });

  it("isn't used where its dataDir serves another network, too", async () => {
    const worker = await make();
    leave(worker, cache("10.7.0.0/24"));
    mkdirSync(join(worker.dataDir, "net2"));
    await beginOutage(server, "status403");
    expect(await worker.fail("ADD")).toMatchObject({ code: 11 });
  });

  it("counts until the API server first answers, and never again", async () => {
    const worker = await make();
    leave(worker, cache("10.7.0.0/24"));
    await beginOutage(server);
    expect(await worker.add({ id: "c1" })).toEqual(["10.7.0.2"]);
    await server.fault(null);
    expect(await worker.add({ id: "c2" })).toEqual(["10.1.0.2"]);
    await server.fault("refused");
    expect(await worker.add({ ipam: { cacheTTL: 0 }, id: "c3" })).toEqual(["10.1.0.3"]);
    await worker.pass("DEL", { id: "c1" });
    expect(worker.leases()).toEqual({ "10.1.0.2": "c2 eth0", "10.1.0.3": "c3 eth0" });
  });

  it.each(
    rowsFor(subject, [
      ["not JSON", "{"],
      ["another type", { ...cache("10.7.0.0/24"), type: "dhcp" }],
      ["no ranges", { type: "host-local", ranges: [] }],
      ["two of one family", cache("10.7.0.0/24", "10.8.0.0/24")],
      ["a subnet that is none", cache("10.7.0.0")],
    ] as const),
  )("with %s is passed over, as the original does", async (_, content) => {
    const worker = await make();
    leave(worker, content);
    await beginOutage(server, "status403");
    expect(await worker.fail("ADD")).toMatchObject({ code: 11 });
    await server.fault(null);
    expect(await worker.add()).toEqual(["10.1.0.2"]);
  });
});
