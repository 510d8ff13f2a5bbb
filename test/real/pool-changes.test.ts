// Pools and NodeBlocks on the real API server: what may change later and what may not, and how they are found and shown.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { apiVersion, type PoolServer, poolOf, startPoolServer, wordsOf } from "./parts/pool-server.ts";

const lack = reasonForNoRealApiServer();
let server: PoolServer;

describe.skipIf(lack)(`changes of pools on a real API server${lack ? ` (skipped: ${lack})` : ""}`, () => {
  beforeAll(async () => {
    server = await startPoolServer();
  });
  afterAll(() => server?.close());

  describe("a grid", () => {
    const frozen = async (kind: PoolKind, name: string, change: object, first: string, size: string) => {
      await server.make(poolOf(kind, change, name));
      const answer = await server.merge(kind, name, { status: { grid: { first, size } } }, "/status");
      expect(answer.text).toContain(`"size":"${size}"`);
      return (spec: object) => server.merge(kind, name, { spec });
    };
    const refusal = "this would move blocks that are given";

    it("of an IPPool stays where it is, while its end may move", async () => {
      const set = await frozen("IPPool", "grid", { subnet: "10.4.0.0/22", gateway: null }, "10.4.0.1", "16");
      expect((await set({ subnet: "10.4.0.0/20" })).status).toBe(200);
      expect((await set({ subnet: "10.4.0.0/24" })).status).toBe(200);
      expect((await set({ subnet: "10.4.0.9/24", exclusions: [] })).status).toBe(200);
      for (const spec of [
        { subnet: "10.0.0.0/13" },
        { subnet: "10.4.1.0/24" },
        { subnet: "fd00::/64" },
        { perNodeBlockSize: 17 },
      ]) {
        const answer = await set(spec);
        expect([answer.status, wordsOf(answer)]).toEqual([422, expect.stringContaining(refusal)]);
      }
    });

    it("of an IPPool is another one where the network's own address becomes a pod's", async () => {
      const set = await frozen(
        "IPPool",
        "small",
        { subnet: "10.4.0.0/30", perNodeBlockSize: 1, gateway: null },
        "10.4.0.1",
        "1",
      );
      expect(wordsOf(await set({ subnet: "10.4.0.0/31" }))).toContain(refusal);
      expect((await set({ subnet: "10.4.0.0/29" })).status).toBe(200);
    });

    it("of a CIDRPool stays where it is, while its end may move", async () => {
      const ipv6 = { cidr: "fd00::/48", perNodeNetworkPrefix: 64, gatewayIndex: null };
      const set = await frozen("CIDRPool", "grid", ipv6, "fd00::", `${2n ** 64n}`);
      expect((await set({ cidr: "fd00::/40" })).status).toBe(200);
      expect((await set({ cidr: "fd00::/56", gatewayIndex: 1 })).status).toBe(200);
      for (const spec of [{ cidr: "fd01::/48" }, { cidr: "fc00::/7" }, { perNodeNetworkPrefix: 65 }]) {
        const answer = await set(spec);
        expect([answer.status, wordsOf(answer)]).toEqual([422, expect.stringContaining(refusal)]);
      }
    });

    it("can't be frozen otherwise than the spec says", async () => {
      await server.make(poolOf("IPPool", {}, "other"));
      for (const grid of [
        { first: "10.1.0.1", size: "17" },
        { first: "10.2.0.1", size: "16" },
      ]) {
        const answer = await server.merge("IPPool", "other", { status: { grid } }, "/status");
        expect([answer.status, wordsOf(answer)]).toEqual([422, expect.stringContaining(refusal)]);
      }
    });

    it("once frozen is neither changed nor taken away", async () => {
      await frozen("CIDRPool", "kept", {}, "10.1.0.0", "16");
      for (const status of [{ grid: null }, { grid: { first: "10.1.0.16" } }]) {
        const answer = await server.merge("CIDRPool", "kept", { status }, "/status");
        expect([answer.status, wordsOf(answer)]).toEqual([
          422,
          expect.stringContaining("the grid is frozen"),
        ]);
      }
    });
  });

  describe("a NodeBlock", () => {
    const spec = {
      pool: { kind: "IPPool", name: "a.b", uid: "u1" },
      index: "3",
      first: "10.1.0.49",
      last: "10.1.0.64",
      nodeName: "worker-1",
      nodeUID: "u2",
    };
    const block = (change: object, name = "ippool.a.b.3") => ({
      apiVersion,
      kind: "NodeBlock",
      metadata: { name },
      spec: { ...spec, ...change },
    });

    it.each([
      ["another pool's name", block({}, "ippool.a.3"), "a block's name is what it reserves"],
      ["another kind's name", block({}, "cidrpool.a.b.3"), "a block's name is what it reserves"],
      ["another index", block({ index: "4" }), "a block's name is what it reserves"],
      ["an index with zeros", block({ index: "03" }, "ippool.a.b.03"), "should match"],
      ["an index that is a number", block({ index: 3 }), "must be of type string"],
      ["no pool", block({ pool: undefined }), "spec.pool: Required value"],
      [
        "another kind",
        block({ pool: { ...spec.pool, kind: "Pool" } }),
        'supported values: "IPPool", "CIDRPool"',
      ],
      ["no pool's UID", block({ pool: { kind: "IPPool", name: "a.b" } }), "spec.pool.uid: Required value"],
      ["no address", block({ first: "x" }), "expected an IP address as it is usually written"],
      [
        "another spelling",
        block({ first: "FD00::1", last: "fd00::2" }),
        "expected an IP address as it is usually",
      ],
      ["two families", block({ last: "fd00::1" }), "first and last are of different families"],
      ["no Node", block({ nodeName: "" }), "should be at least 1 chars long"],
      ["no Node's UID", block({ nodeUID: undefined }), "spec.nodeUID: Required value"],
      ["closing that is a word", block({ closing: "yes" }), "must be of type boolean"],
      ["an unknown key", block({ more: 1 }), 'unknown field "spec.more"'],
    ])("is refused with %s", async (_, object, says) => {
      expect(wordsOf(await server.tryOut(object))).toContain(says);
    });

    it("is what it was made as, but that it may close, once for all", async () => {
      await server.make(block({}));
      const set = async (change: object) => {
        const answer = await server.merge("NodeBlock", "ippool.a.b.3", { spec: change });
        return answer.status === 200 ? "taken" : wordsOf(answer);
      };
      expect(await set({ pool: { uid: "u3" } })).toContain("a block is what it was made as");
      expect(await set({ index: "4" })).toContain("a block is what it was made as");
      expect(await set({ first: "10.1.0.50" })).toContain("a block's addresses are what they were made as");
      expect(await set({ last: "10.1.0.65" })).toContain("a block's addresses are what they were made as");
      expect(await set({ nodeName: "worker-2" })).toContain("a block is what it was made as");
      expect(await set({ nodeUID: "u3" })).toContain("a block is what it was made as");
      expect(await set({ closing: false })).toBe("taken");
      expect(await set({ closing: true })).toBe("taken");
      expect(await set({ closing: false })).toContain("a block that closes stays so");
      expect(await set({ closing: null })).toContain("a block that closes stays so");
    });

    it("is found by its node's name and its pool", async () => {
      await server.make(block({ index: "5", nodeName: "worker-2" }, "ippool.a.b.5"));
      const names = async (selector: string) => {
        const { json } = await server.ask({ path: `${poolPath("NodeBlock")}?fieldSelector=${selector}` });
        return (json as { items: { metadata: { name: string } }[] }).items.map(
          ({ metadata }) => metadata.name,
        );
      };
      expect(await names("spec.nodeName%3Dworker-2")).toEqual(["ippool.a.b.5"]);
      expect(await names("spec.pool.name%3Da.b,spec.pool.kind%3DIPPool")).toContain("ippool.a.b.5");
      expect(await names("spec.pool.kind%3DCIDRPool")).toEqual([]);
    });

    it("is created once: the name is the claim", async () => {
      await server.make(block({ index: "7" }, "ippool.a.b.7"));
      const again = block({ index: "7", nodeName: "worker-9" }, "ippool.a.b.7");
      const answer = await server.ask({ method: "POST", path: poolPath("NodeBlock"), body: again });
      expect(answer.status).toBe(409);
    });
  });

  it("have short names, and a category for all of them", async () => {
    const { json } = await server.ask({ path: "/apis/ipam.kube-node.io/v1alpha1" });
    const { resources } = json as {
      resources: { name: string; namespaced: boolean; shortNames?: string[]; categories?: string[] }[];
    };
    const found = resources.filter(({ name }) => !name.includes("/"));
    expect(
      found
        .map(({ name, namespaced, shortNames, categories }) => [name, namespaced, shortNames, categories])
        .sort(),
    ).toEqual([
      ["cidrpools", false, ["cidrp"], ["kube-node"]],
      ["ippools", false, ["ipp"], ["kube-node"]],
      ["nodeblocks", false, ["nblk"], ["kube-node"]],
    ]);
  });

  it("print what one looks for in a table", async () => {
    await server.make(poolOf("IPPool", {}, "table"));
    const status = {
      grid: { first: "10.1.0.1", size: "16" },
      blocks: { total: "15", given: 3, closing: 0, free: "12" },
      addresses: { total: "47", used: 5, free: "42" },
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "Valid",
          message: "",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
    };
    expect((await server.merge("IPPool", "table", { status }, "/status")).status).toBe(200);
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const { json } = await server.ask({ path: poolPath("IPPool", "table"), headers });
    const { columnDefinitions, rows } = json as {
      columnDefinitions: { name: string }[];
      rows: { cells: unknown[] }[];
    };
    const row = Object.fromEntries(columnDefinitions.map(({ name }, at) => [name, rows[0]?.cells[at]]));
    expect(row).toMatchObject({
      Name: "table",
      Subnet: "10.1.0.0/24",
      "Block Size": 16,
      Blocks: 3,
      "Free Blocks": "12",
      Used: 5,
      Free: "42",
      Ready: "True",
      Age: expect.stringMatching(/^\d+s$/),
    });
  });
});
