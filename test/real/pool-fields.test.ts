// The CRDs on the real API server: each field wrong in each way its rule knows.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { poolFaults } from "../../src/api/pool-rules.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout } from "../parts/tools.ts";
import { anyCIDRPool, anyIPPool } from "./parts/any-pool.ts";
import { manifestsOfNvIpam } from "./parts/nv-ipam-manifests.ts";
import { cidrPoolFaults, type Fault, goodChanges, ipPoolFaults, left } from "./parts/pool-faults.ts";
import { type PoolServer, poolOf, startPoolServer, wordsOf } from "./parts/pool-server.ts";

/** What is wrong with an order or with a sum, which CEL can't tell of addresses, or not at a price that is allowed. */
const leftWords =
  /^the end comes before the start$|has a prefix already$|^they leave no address of a block|is given twice$/;
const lack = reasonForNoRealApiServer();
let server: PoolServer;

const show = (change: object) => JSON.stringify(change, (_, value) => value ?? null).slice(0, 100);
const named = (faults: Fault[]) => faults.map((fault) => ({ ...fault, shown: show(fault.change) }));

describe.skipIf(lack)(`fields of pools on a real API server${lack ? ` (skipped: ${lack})` : ""}`, () => {
  beforeAll(async () => {
    server = await startPoolServer();
  });
  afterAll(() => server?.close());

  describe.each([
    { kind: "IPPool" as const, faults: ipPoolFaults, any: anyIPPool as fc.Arbitrary<object> },
    { kind: "CIDRPool" as const, faults: cidrPoolFaults, any: anyCIDRPool as fc.Arbitrary<object> },
  ])("$kind", ({ kind, faults, any }) => {
    it.each(named(faults))("is refused with $shown", async ({ change, says }) => {
      const answer = await server.tryOut(poolOf(kind, change));
      expect(wordsOf(answer)).toContain(says);
      expect([400, 422]).toContain(answer.status);
      const spec = JSON.parse(JSON.stringify(poolOf(kind, change).spec));
      expect(poolFaults(kind, spec), "what check-config and the controller say").not.toEqual([]);
    });

    it.each(goodChanges[kind].map((change) => ({ change, shown: show(change) })))(
      "is taken with $shown",
      async ({ change }) => {
        const answer = await server.tryOut(poolOf(kind, change));
        expect(answer.text).not.toContain("message");
        expect(answer.status).toBe(201);
        expect(poolFaults(kind, JSON.parse(JSON.stringify(poolOf(kind, change).spec)))).toEqual([]);
      },
    );

    it.each(named(left[kind]))(
      "is taken with $shown, which becomes a condition",
      async ({ change, says }) => {
        expect((await server.tryOut(poolOf(kind, change))).status).toBe(201);
        expect(poolFaults(kind, poolOf(kind, change).spec).map(({ words }) => words)).toContainEqual(
          expect.stringContaining(says),
        );
      },
    );

    it("is refused where check-config and the controller find something wrong, and nowhere else", async () => {
      const told = { good: 0, refused: 0, condition: 0 };
      await fc.assert(
        fc.asyncProperty(any, async (spec) => {
          const object = { ...poolOf(kind, {}), spec: JSON.parse(JSON.stringify(spec)) };
          const answer = await server.tryOut(object);
          const faults = poolFaults(kind, object.spec).map(({ words }) => words);
          expect([201, 422]).toContain(answer.status);
          const isLeft = faults.length > 0 && faults.every((words) => leftWords.test(words));
          if (!isLeft)
            expect([answer.status, faults, wordsOf(answer)]).toEqual([
              faults.length > 0 ? 422 : 201,
              faults,
              wordsOf(answer),
            ]);
          told[faults.length === 0 ? "good" : answer.status === 201 ? "condition" : "refused"]++;
        }),
        { numRuns: 400 },
      );
      expect(told.good).toBeGreaterThan(50);
      expect(told.refused).toBeGreaterThan(50);
    });

    it("has a name that fits into an annotation's key, dots included", async () => {
      expect((await server.tryOut(poolOf(kind, {}, `${"a".repeat(60)}.bc`))).status).toBe(201);
      const answer = await server.tryOut(poolOf(kind, {}, "a".repeat(64)));
      expect(wordsOf(answer)).toContain("expected at most 63 characters");
    });
  });

  it.each(["pools/ip-pool.yaml", "pools/cidr-pool.yaml", "pools/ipv6.yaml"])(
    "the example %s is taken",
    async (file) => {
      const pool = parse(readFileSync(join(checkout, "examples", file), "utf8"));
      expect(await server.tryOut(pool)).toMatchObject({ status: 201 });
      expect(poolFaults(pool.kind, pool.spec)).toEqual([]);
    },
  );

  it.each(manifestsOfNvIpam)(
    "nv-ipam's $kind $metadata.name is taken with our apiVersion",
    async (manifest) => {
      const answer = await server.tryOut({ ...manifest, apiVersion: "ipam.kube-node.io/v1alpha1" });
      expect(answer.status).toBe(201);
      expect((answer.json as { spec: object }).spec).toEqual(manifest.spec);
      expect(answer.text).not.toContain("kube-system");
    },
  );
});
