import { expect, it } from "vitest";
import { poolAnnotationKey } from "../../src/api/pool-names.ts";
import { doubtSharers } from "../../src/move/shared-pools.ts";

const pool = { kind: "IPPool", name: "a" } as const;
const key = poolAnnotationKey(pool);
const network = (definition: string, name: string, ...keys: string[]) => ({
  definition,
  network: name,
  keys: keys.length > 0 ? keys : [key],
});

it("networks of several names that name one pool are said, each with its definitions", () => {
  const networks = [
    network("shop/b", "net2"),
    network("shop/a", "net1"),
    network("web/a", "net1", "other", key),
  ];
  expect(doubtSharers(pool, networks)).toEqual([
    expect.stringMatching(/^networks net1 \(shop\/a, web\/a\) and net2 \(shop\/b\) name it: /),
  ]);
});

it("one name is one store, in however many namespaces; another kind's pool of that name is another pool", () => {
  const cidr = poolAnnotationKey({ kind: "CIDRPool", name: "a" });
  expect(
    doubtSharers(pool, [network("shop/a", "net1"), network("web/a", "net1"), network("web/b", "net2", cidr)]),
  ).toEqual([]);
  expect(doubtSharers(pool, [])).toEqual([]);
});
