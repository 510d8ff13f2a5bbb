// Without the API server: last-known ranges, or an error that says why.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Fault } from "../parts/embedded/fault.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { addressesIn } from "./parts/answers.ts";
import { beginOutage } from "./parts/outage.ts";
import { describeSubjects, onlyCompiled, rowsFor } from "./parts/subjects.ts";
import { makeWorker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24"];
const key = "example.com/net1";
const ipam = { annotation: key };
const annotations = { [key]: "10.2.0.0/24" };
const warning = "API server not available, going on with last-known ranges";

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

const outages: Fault[] = [
  "refused",
  "status401",
  "status403",
  "status404Html",
  "truncated",
  "status429",
  "status500",
  "status503",
  "foreignCertificate",
  "expiredCertificate",
  "noTls",
  "hangUp",
  "html",
  "garbage",
  "empty",
  "wrongKind",
  "redirect",
  "blackHole",
  "silent",
  "slowBytes",
];

describeSubjects("without the API server", (subject) => {
  const itCompiled = onlyCompiled(subject);

  const make = () => makeWorker(server, subject, { podCIDRs, annotations });

  it.each(rowsFor(subject, outages))("%s: last-known ranges, and a warning in the log", async (fault) => {
    const worker = await make();
    await worker.add({ ipam });
    await beginOutage(server, fault);
    const answer = await worker.call("ADD", { ipam: { ...ipam, timeout: 4 }, id: "c2" });
    expect(addressesIn(answer)).toEqual(["10.2.0.3"]);
    expect(worker.log()).toMatchObject([{ level: 40, msg: warning, reason: expect.stringMatching(/./) }]);
    expect(answer.stderr).toBe("");
  });

  itCompiled("without a log file the warning goes to stderr", async () => {
    const worker = await make();
    await worker.add({ ipam });
    await beginOutage(server);
    for (const logfile of [undefined, "stdout"]) {
      const answer = await worker.call("ADD", { ipam: { ...ipam, logfile }, id: `c${logfile}` });
      expect(JSON.parse(answer.stderr)).toMatchObject({ level: 40, msg: warning, plugin: "kube-node" });
    }
  });

  it("nothing known: 11 with the reason, and nothing was leased; later all is well", async () => {
    const worker = await make();
    await beginOutage(server);
    expect(await worker.fail("ADD", { ipam: { timeout: 2 } })).toMatchObject({
      code: 11,
      msg: "the Node's address ranges are not known",
      details: expect.stringContaining(server.url.replace("https://", "")),
    });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    await server.fault(null);
    expect(await worker.add()).toEqual(["10.1.0.2"]);
  });

  it("nothing known yet: it is asked again until it answers", async () => {
    const worker = await make();
    await beginOutage(server, "status503");
    const adding = worker.add();
    await expect.poll(() => worker.requests().length, { timeout: 10_000 }).toBeGreaterThan(0);
    await server.fault(null);
    expect(await adding).toEqual(["10.1.0.2"]);
    expect(worker.requests().length).toBeGreaterThan(1);
  });

  itCompiled("an annotation that was gone before the outage isn't brought back by it", async () => {
    const worker = await make();
    await worker.add({ ipam });
    await worker.annotate(key, null);
    await worker.fail("ADD", { ipam, id: "c2" });
    await beginOutage(server);
    expect(await worker.fail("ADD", { ipam, id: "c3" })).toMatchObject({ code: 103 });
  });

  itCompiled("what is known of one Node isn't taken for another that is named now", async () => {
    const worker = await make();
    await worker.add({ ipam });
    await beginOutage(server, "status403");
    const another = { ipam, env: { NODE_NAME: "another" }, id: "c2" };
    expect(await worker.fail("ADD", another)).toMatchObject({ code: 11 });
  });

  it("STATUS: 50 where nothing is known, with the reason", async () => {
    const worker = await make();
    await beginOutage(server, "status403");
    expect(await worker.fail("STATUS", { config: { cniVersion: "1.1.0" } })).toMatchObject({
      cniVersion: "1.1.0",
      code: 50,
      msg: "the Node's address ranges are not known",
      details: expect.stringContaining("403"),
    });
  });
});
