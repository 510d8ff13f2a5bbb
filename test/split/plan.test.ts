import { describe, expect, it } from "vitest";
import { formatCidr } from "../../src/address/cidr.ts";
import type { CommittedPlan } from "../../src/split/committed-plan.ts";
import type { SplitNode } from "../../src/split/draft.ts";
import { planSplit, type SplitPlan, type SplitRequest } from "../../src/split/plan.ts";
import { parseSpan } from "../../src/split/span.ts";
import { parseTerms, type WrittenTerms } from "../../src/split/terms.ts";

const now = new Date("2026-01-02T03:04:05Z");
const hour = 3_600_000;

type Request = Partial<Omit<SplitRequest, "terms">> & { terms?: WrittenTerms };

function plan({ terms, ...request }: Request): SplitPlan {
  return planSplit({
    key: "example.com/ranges",
    terms: parseTerms({ cidr: "172.20.0.0/16", perNode: "/24", ...terms }),
    nodes: [],
    reserved: [],
    committed: undefined,
    now,
    releaseAfter: hour,
    ...request,
  });
}

function node(name: string, annotation?: string, more: Partial<SplitNode> = {}): SplitNode {
  return {
    name,
    uid: `uid-${name}`,
    selected: true,
    ...(annotation !== undefined && { annotation }),
    ...more,
  };
}

/** `name state blocks → annotation`, one a Node. */
function shown({ assignments }: SplitPlan): string[] {
  return assignments.map(({ name, state, blocks, annotation }) =>
    [name, state, blocks.map(formatCidr).join(",") || "-", ...(annotation ? [`→ ${annotation}`] : [])].join(
      " ",
    ),
  );
}

function holders({ committed }: { committed: CommittedPlan }): string[] {
  return committed.holders.map(({ uid, blocks }) => `${uid} ${blocks.map(formatCidr).join(",")}`);
}

describe("planSplit", () => {
  it("gives the lowest free blocks in the order of names", () => {
    const { committed, ...rest } = plan({ nodes: [node("c"), node("a"), node("b")] });
    expect(shown({ committed, ...rest })).toEqual([
      "a new 172.20.0.0/24 → 172.20.0.0/24",
      "b new 172.20.1.0/24 → 172.20.1.0/24",
      "c new 172.20.2.0/24 → 172.20.2.0/24",
    ]);
    expect(rest.uses).toMatchObject([{ taken: 0n, given: 3, free: 253n }]);
  });

  it("lets nodes keep what their annotation and the plan say, and fills the gaps", () => {
    const first = plan({ nodes: [node("m"), node("n"), node("z", "172.20.1.0/24")] });
    const next = plan({
      nodes: [node("a"), node("m", "172.20.0.0/24"), node("n"), node("z", "172.20.1.0/24")],
      committed: first.committed,
    });
    expect(shown(next)).toEqual([
      "a new 172.20.3.0/24 → 172.20.3.0/24",
      "m kept 172.20.0.0/24",
      "n due 172.20.2.0/24 → 172.20.2.0/24",
      "z kept 172.20.1.0/24",
    ]);
  });

  it("knows nothing to do when asked again", () => {
    const nodes = [node("a", "172.20.0.0/24"), node("b", "172.20.1.10-172.20.1.254/24")];
    const first = plan({ nodes });
    const again = plan({ nodes, committed: first.committed });
    expect(again.committed).toEqual(first.committed);
    expect(again.assignments.filter(({ annotation }) => annotation !== undefined)).toEqual([]);
  });

  it("passes over what is excluded, reserved or another node's, selected or not", () => {
    const done = plan({
      nodes: [
        node("new-1"),
        node("new-2"),
        node("other", "172.20.2.128/25", { selected: false }),
        node("flat", "172.20.3.10-172.20.3.20/16"),
      ],
      terms: { exclude: "172.20.0.0/24,172.20.5.255-172.20.6.0" },
      reserved: [
        { span: parseSpan("172.20.1.0/24"), by: "podCIDRs" },
        { span: parseSpan("10.96.0.0/16"), by: "ServiceCIDR kubernetes" },
      ],
    });
    expect(shown(done)).toEqual([
      "flat kept -",
      "new-1 new 172.20.4.0/24 → 172.20.4.0/24",
      "new-2 new 172.20.7.0/24 → 172.20.7.0/24",
    ]);
    expect(done.passedOver).toEqual([
      { by: "podCIDRs", blocks: 1n },
      { by: "--exclude", blocks: 3n },
    ]);
    expect(holders(done)).toEqual(["uid-new-1 172.20.4.0/24", "uid-new-2 172.20.7.0/24"]);
  });

  it("gives both families, each its lowest; one that is there already stays in its place", () => {
    const done = plan({
      nodes: [node("a", "172.20.9.0/24"), node("b"), node("c", "fd00:2::/64,172.20.0.0/24")],
      terms: { cidr: "172.20.0.0/16,fd00:2::/48", perNode: "/24,/64" },
    });
    expect(shown(done)).toEqual([
      "a new 172.20.9.0/24,fd00:2:0:1::/64 → 172.20.9.0/24,fd00:2:0:1::/64",
      "b new 172.20.1.0/24,fd00:2:0:2::/64 → 172.20.1.0/24,fd00:2:0:2::/64",
      "c kept 172.20.0.0/24,fd00:2::/64",
    ]);
  });

  it("keeps routes and order where it adds a family", () => {
    const was = '{"ranges":[[{"subnet":"fd00:2::/64"}]],"routes":[{"dst":"::/0"}]}';
    const done = plan({
      nodes: [node("a", was)],
      terms: { cidr: "172.20.0.0/16,fd00:2::/48", perNode: "/24,/64" },
    });
    expect(done.assignments[0]?.annotation).toBe(
      '{"ranges":[[{"subnet":"fd00:2::/64"}],[{"subnet":"172.20.0.0/24"}]],"routes":[{"dst":"::/0"}]}',
    );
  });

  it("keeps the first addresses of each block back", () => {
    const done = plan({
      nodes: [node("a")],
      terms: { cidr: "172.20.0.0/16,fd00:2::/48", perNode: "/24,/64", reserveFirst: "10" },
    });
    expect(done.assignments[0]?.annotation).toBe(
      "172.20.0.11-172.20.0.254/24,fd00:2::b-fd00:2::ffff:ffff:ffff:ffff/64",
    );
  });

  it("refuses where blocks run out, and says why", () => {
    const small = { cidr: "10.0.0.0/24", perNode: "/26", exclude: "10.0.0.0-10.0.0.3" };
    expect(shown(plan({ nodes: ["a", "b", "c"].map((name) => node(name)), terms: small }))).toHaveLength(3);
    expect(() => plan({ nodes: ["a", "b", "c", "d"].map((name) => node(name)), terms: small })).toThrow(
      "10.0.0.0/24 has 4 blocks of /26; 1 are taken or excluded (1: --exclude), 3 are free, and 4 Nodes want one",
    );
  });

  it("cuts the whole of IPv6 as quickly as anything else", () => {
    const nodes = Array.from({ length: 5000 }, (_, index) => node(`node-${String(index).padStart(4, "0")}`));
    const done = plan({
      nodes,
      terms: { cidr: "::/0", perNode: "/126", exclude: "::/1,8000::/64,8000:0:0:1::4/126" },
    });
    expect(done.assignments[0]?.annotation).toBe("8000:0:0:1::/126");
    expect(done.assignments[1]?.annotation).toBe("8000:0:0:1::8/126");
    expect(new Set(done.assignments.map(({ annotation }) => annotation)).size).toBe(5000);
  });
});

describe("what planSplit leaves alone", () => {
  it("an annotation that can't be read", () => {
    const [bad, good] = plan({ nodes: [node("a", "172.20.0.0/33"), node("b")] }).assignments;
    expect(bad).toMatchObject({ state: "refused", blocks: [] });
    expect(bad?.why).toMatch(/^its annotation can't be read: at character 1: /);
    expect(good?.annotation).toBe("172.20.0.0/24");
  });

  it("node-annotation's own form, but keeps others from its addresses", () => {
    const body = 'ranges: [[{subnet: "172.20.0.0/24"}]]';
    expect(shown(plan({ nodes: [node("a", body), node("b")] }))).toEqual([
      "a kept 172.20.0.0/24",
      "b new 172.20.1.0/24 → 172.20.1.0/24",
    ]);
    const [one] = plan({
      nodes: [node("a", body)],
      terms: { cidr: "172.20.0.0/16,fd00:2::/48", perNode: "/24,/64" },
    }).assignments;
    expect(one).toMatchObject({ state: "refused", why: expect.stringContaining("node-annotation's form") });
  });

  it("two nodes that have one block already", () => {
    const done = plan({ nodes: [node("a", "172.20.0.0/24"), node("b", "172.20.0.0/24"), node("c")] });
    expect(shown(done)).toEqual([
      "a kept 172.20.0.0/24",
      "b kept 172.20.0.0/24",
      "c new 172.20.1.0/24 → 172.20.1.0/24",
    ]);
    expect(done.assignments[0]?.why).toBe("its addresses overlap with 172.20.0.0/24 of Node b's annotation");
    expect(done.assignments[1]?.why).toBe("its addresses overlap with 172.20.0.0/24 of Node a's annotation");
  });

  it("what the plan promised to a node whose annotation can't be read", () => {
    const { committed } = plan({ nodes: [node("a")] });
    const done = plan({ nodes: [node("a", "malformed"), node("b")], committed });
    expect(shown(done)).toEqual(["a refused 172.20.0.0/24", "b new 172.20.1.0/24 → 172.20.1.0/24"]);
    expect(holders(done)).toEqual(["uid-a 172.20.0.0/24", "uid-b 172.20.1.0/24"]);
  });

  it("a promise that somebody else's annotation broke", () => {
    const { committed } = plan({ nodes: [node("a")] });
    const done = plan({ nodes: [node("a"), node("b", "172.20.0.0/25")], committed });
    expect(shown(done)).toEqual(["a refused 172.20.0.0/24", "b kept -"]);
    expect(done.assignments[0]?.why).toBe("its addresses overlap with 172.20.0.0/25 of Node b's annotation");
    expect(holders(done)).toEqual(["uid-a 172.20.0.0/24"]);
  });
});

describe("nodes that change", () => {
  const { committed } = plan({ nodes: [node("a"), node("b")] });

  it("one made again under its name is another one, and the old one's block is kept for a while", () => {
    const again = node("a", undefined, { uid: "uid-second" });
    const done = plan({ nodes: [again, node("b")], committed });
    expect(shown(done)).toEqual([
      "a new 172.20.2.0/24 → 172.20.2.0/24",
      "b due 172.20.1.0/24 → 172.20.1.0/24",
    ]);
    expect(done.gone).toMatchObject([{ node: "a", uid: "uid-a", goneSince: now }]);
    const earlier = new Date(now.getTime() - hour);
    const held = {
      ...committed,
      holders: done.committed.holders.map((one) =>
        one.uid === "uid-a" ? { ...one, goneSince: earlier } : one,
      ),
    };
    const later = plan({ nodes: [again, node("b"), node("c")], committed: held });
    expect(shown(later)[2]).toBe("c new 172.20.0.0/24 → 172.20.0.0/24");
    expect(later.released).toMatchObject([{ uid: "uid-a" }]);
    expect(holders(later)).not.toContain("uid-a 172.20.0.0/24");
  });

  it("one that is no longer selected keeps its promise; one that has an annotation of its own gives it back", () => {
    const done = plan({
      nodes: [node("a", undefined, { selected: false }), node("b", "10.0.0.0/24"), node("c")],
      committed,
    });
    expect(shown(done)).toEqual(["b kept -", "c new 172.20.1.0/24 → 172.20.1.0/24"]);
    expect(holders(done)).toEqual(["uid-a 172.20.0.0/24", "uid-c 172.20.1.0/24"]);
  });

  it("a deleted one's block goes to the live one whose annotation has it", () => {
    const done = plan({ nodes: [node("a", "172.20.0.0/24", { uid: "uid-second" }), node("b")], committed });
    expect(holders(done)).toEqual(["uid-second 172.20.0.0/24", "uid-b 172.20.1.0/24"]);
  });
});
