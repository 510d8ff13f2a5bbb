// IPv4 for some namespaces only: the original's table, and what it means for annotations and verbs.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { describeSubjects, onlyCompiled, rowsFor } from "./parts/subjects.ts";
import { makeWorker } from "./parts/worker.ts";

const both = ["10.1.0.2", "fd00:1::2"];
const six = ["fd00:1::2"];

/** `ipv4-namespaces` as it stands in the configuration, the pod's CNI_ARGS, the addresses that it gets. */
const table: [list: unknown, args: string | undefined, expected: string[]][] = [
  [undefined, "IgnoreUnknown=1;K8S_POD_NAMESPACE=web", both],
  [undefined, undefined, both],
  [null, "IgnoreUnknown=1;K8S_POD_NAMESPACE=web", both],
  [null, undefined, both],
  [["db"], "IgnoreUnknown=1;K8S_POD_NAMESPACE=db", both],
  [["db", "web"], "K8S_POD_NAME=w-1;IgnoreUnknown=1;K8S_POD_NAMESPACE=web", both],
  [["db"], "IgnoreUnknown=1;K8S_POD_NAMESPACE=web", six],
  [["db"], "IgnoreUnknown=1;K8S_POD_NAMESPACE=db2", six],
  [["db"], "IgnoreUnknown=1;K8S_POD_NAMESPACE=DB", six],
  [["db"], "IgnoreUnknown=1;K8S_POD_NAMESPACE=", six],
  [["db"], "IgnoreUnknown=1;K8S_POD_NAME=db", six],
  [["db"], undefined, six],
  [["db"], "", six],
  [[], "IgnoreUnknown=1;K8S_POD_NAMESPACE=db", six],
  [[], undefined, six],
  [["*"], "IgnoreUnknown=1;K8S_POD_NAMESPACE=db", six],
  [[""], undefined, six],
];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("gating of IPv4 by namespace", (subject) => {
  const itCompiled = onlyCompiled(subject);

  const make = (...podCIDRs: string[]) => makeWorker(server, subject, { podCIDRs });

  it.each(rowsFor(subject, table))("ipv4-namespaces %j, CNI_ARGS %j: %j", async (list, args, expected) => {
    const worker = await make("10.1.0.0/24", "fd00:1::/64");
    const ipam = { "ipv4-namespaces": list };
    expect(await worker.add({ ipam, ...(args !== undefined && { args }) })).toEqual(expected);
  });

  itCompiled("the Node's order of families is kept", async () => {
    const worker = await make("fd00:1::/64", "10.1.0.0/24");
    expect(await worker.add({ ipam: { "ipv4-namespaces": ["db"] }, namespace: "db" })).toEqual(
      [...both].reverse(),
    );
    expect(await worker.add({ ipam: { "ipv4-namespaces": ["db"] }, id: "c2" })).toEqual(["fd00:1::3"]);
  });

  itCompiled("an IPv6-only Node doesn't care", async () => {
    const worker = await make("fd00:1::/64");
    for (const list of [undefined, [], ["db"]]) {
      const id = `c${JSON.stringify(list)?.length ?? 0}`;
      expect(await worker.add({ ipam: { "ipv4-namespaces": list }, id })).toHaveLength(1);
    }
  });

  itCompiled("an IPv4-only Node: 104 for those who may not, an address for those who may", async () => {
    const worker = await make("10.1.0.0/24");
    const ipam = { "ipv4-namespaces": ["db"] };
    expect(await worker.add({ ipam, namespace: "db" })).toEqual(["10.1.0.2"]);
    expect(await worker.fail("ADD", { ipam, id: "c2" })).toMatchObject({
      code: 104,
      details: expect.stringContaining("a pod of unknown namespace"),
    });
    expect(worker.leases()).toEqual({ "10.1.0.2": "c1 eth0" });
  });

  it("every IPv4 range of an annotation goes, every IPv6 range stays", async () => {
    const worker = await make();
    const set = (...subnets: string[]) => subnets.map((subnet) => ({ subnet }));
    const sets = [
      set("10.2.0.0/24", "10.3.0.0/24"),
      set("fd00:2::/64"),
      set("10.4.0.0/24"),
      set("fd00:3::/64"),
    ];
    await worker.annotate("net1", JSON.stringify({ ranges: sets }));
    const ipam = { annotation: "net1", "ipv4-namespaces": ["db"] };
    expect(await worker.add({ ipam, id: "c1" })).toEqual(["fd00:2::2", "fd00:3::2"]);
    expect(await worker.add({ ipam, id: "c2", namespace: "db" })).toEqual([
      "10.2.0.2",
      "fd00:2::3",
      "10.4.0.2",
      "fd00:3::3",
    ]);
  });

  it("DEL and CHECK go without the namespace that ADD had", async () => {
    const worker = await make("10.1.0.0/24", "fd00:1::/64");
    const ipam = { "ipv4-namespaces": ["db"] };
    expect(await worker.add({ ipam, namespace: "db" })).toEqual(both);
    await worker.pass("CHECK", { ipam });
    await worker.pass("DEL", { ipam });
    expect(worker.leases()).toEqual({});
  });

  itCompiled("a list that isn't one is refused, and nothing is leased", async () => {
    const worker = await make("10.1.0.0/24", "fd00:1::/64");
    for (const list of ["db", { db: true }, [1], 7]) {
      const failure = await worker.fail("ADD", { ipam: { "ipv4-namespaces": list }, namespace: "db" });
      expect(failure).toMatchObject({ code: 7, details: expect.stringContaining("ipam.ipv4-namespaces") });
    }
    expect(worker.leases()).toEqual({});
  });
});
