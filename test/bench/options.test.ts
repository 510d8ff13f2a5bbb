import { describe, expect, it } from "vitest";
import { parsePeers } from "../../bench/contenders.ts";
import { parseOptions } from "../../bench/options.ts";

const parse = (...args: string[]) => parseOptions(args, "bench.json");

describe("the benchmark's flags", () => {
  it("measure what is usual where there are none", () => {
    expect(parse()).toEqual({
      rounds: 60,
      warmup: 5,
      json: "bench.json",
      report: false,
      parts: new Set(["bursts", "memory", "stores"]),
    });
  });

  it("add parts, or take the place of the usual ones", () => {
    expect(parse("--profile").parts).toEqual(new Set(["bursts", "memory", "stores", "profile"]));
    expect(parse("--only=none", "--rollout").parts).toEqual(new Set(["rollout"]));
    expect(parse("--only=bursts,variants").parts).toEqual(new Set(["bursts", "variants"]));
  });

  it.each([
    [["--rounds=0"], '--rounds: expected a number from 1 on, found "0"'],
    [["--warmup=few"], '--warmup: expected a number from 0 on, found "few"'],
    [["--only=burst"], '--only: no part "burst"'],
    [["--fast"], "--fast"],
  ])("%j is refused with the reason", (args, words) => {
    expect(() => parse(...args)).toThrow(words);
  });
});

describe("BENCH_PEERS", () => {
  it("names implementations and where they are", () => {
    expect(parsePeers(" go=/a/kube-node  other=/b/c ")).toEqual([
      { name: "go", path: "/a/kube-node" },
      { name: "other", path: "/b/c" },
    ]);
    expect(parsePeers(undefined)).toEqual([]);
  });

  it("is refused where a path isn't absolute", () => {
    expect(() => parsePeers("go=kube-node")).toThrow('expected name=/absolute/path, found "go=kube-node"');
  });
});
