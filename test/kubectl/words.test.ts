import { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { readAnnotateWords } from "../../src/kubectl/annotate-words.ts";
import { checkKey, isOwnKey } from "../../src/kubectl/annotation-key.ts";
import { commands } from "../../src/kubectl/commands.ts";
import { timeoutOf } from "../../src/kubectl/global-flags.ts";
import type { Shell } from "../../src/kubectl/shell.ts";
import { spellFlags } from "../../src/kubectl/spell-flags.ts";
import { UsageError } from "../../src/kubectl/usage-error.ts";

describe("the words of annotate", () => {
  it.each([
    [["a", "b", "k=10.0.0.0/24"], {}, { nodes: ["a", "b"], key: "k", text: "10.0.0.0/24" }],
    [["node/a", "nodes/b", "k= 10.0.0.0/24 "], {}, { nodes: ["a", "b"], key: "k", text: "10.0.0.0/24" }],
    [["a", 'k={"a": "b=c"}'], {}, { nodes: ["a"], key: "k", text: '{"a": "b=c"}' }],
    [["a", "k"], { ranges: "[]" }, { nodes: ["a"], key: "k", text: "[]" }],
    [["a", "example.com/k-"], {}, { nodes: ["a"], key: "example.com/k" }],
    [["a", "b"], { remove: "k" }, { nodes: ["a", "b"], key: "k" }],
    [["k=1"], { all: true }, { nodes: [], key: "k", text: "1" }],
    [["k-"], { selector: "a=b" }, { nodes: [], key: "k" }],
  ])("%j with %j", (words, flags, asked) => {
    expect(readAnnotateWords(words, flags)).toEqual(asked);
  });

  it.each([
    [["a", "b"], {}, "what is to be written?"],
    [["k=1"], {}, "no node is named"],
    [["k=1", "l=2"], {}, "one annotation at a time"],
    [["a", "k=1"], { all: true }, "give one of both"],
    [["a"], { remove: "k", ranges: "[]" }, "give one of both"],
    [["A_b", "k=1"], {}, 'no Node can have the name "A_b"'],
    [["a", "-k=1"], {}, '"-k" is no key'],
  ])("%j with %j is a mistake", (words, flags, message) => {
    expect(() => readAnnotateWords(words, flags)).toThrow(message);
  });
});

describe("a key that people write", () => {
  it.each([
    "k",
    "example.com/net1",
    "kube-node.nordix.org/net1",
    "kube-node.io/a",
    "example.com/ippool",
    "my-ippool/a",
  ])("may be %s", (key) => {
    expect(checkKey(key)).toBe(key);
    expect(isOwnKey(key)).toBe(true);
  });

  it.each([
    [
      "ippool.ipam.kube-node.io/net2",
      "is written by kube-node-controller, by what its pool says: change or delete the pool instead (kubectl edit ippool net2)",
    ],
    ["cidrpool.ipam.kube-node.io/net2", "(kubectl edit cidrpool net2)"],
    [
      "ippool/net1",
      "is a pool, and no annotation: change or delete the pool instead (kubectl edit ippool net1)",
    ],
    ["cidrpool/net1", "(kubectl edit cidrpool net1)"],
    ["ipam.kube-node.io/held", "is written by the node's agent"],
    ["ipam.kube-node.io/rebuilt", "is kept for kube-node's controller and agent"],
    ["pool.ipam.kube-node.io/a", "is kept for kube-node's controller and agent"],
    ["ipam.nvidia.com/ip-blocks", "is nv-ipam's: change its pool instead"],
    ["nv-ipam.nvidia.com/a", "is nv-ipam's: change its pool instead"],
    [
      "spec.podCIDRs",
      "is a field of Nodes, which Kubernetes sets, and no annotation: choose a key such as example.com/net1",
    ],
  ])("may not be %s, which %s", (key, words) => {
    expect(() => checkKey(key)).toThrow(words);
    expect(() => checkKey(key)).toThrow(UsageError);
    expect(isOwnKey(key)).toBe(false);
    for (const [all, flags] of [
      [["a", `${key}=10.0.0.0/24`], {}],
      [["a", `${key}-`], {}],
      [["a", key], { ranges: "[]" }],
      [["a"], { remove: key }],
    ] as const)
      expect(() => readAnnotateWords([...all], flags)).toThrow(`${key} is `);
  });
});

describe("--request-timeout", () => {
  it.each([
    ["5s", 5000],
    ["7", 7000],
    ["1m30s", 90_000],
    ["250ms", 250],
    ["1.5h", 5_400_000],
    ["0", 2 ** 31 - 1],
  ])("%s", (text, milliseconds) => expect(timeoutOf({ requestTimeout: text })).toBe(milliseconds));

  it.each(["", "x", "5x", "s", "-1s"])("%j is a mistake", (text) =>
    expect(() => timeoutOf({ requestTimeout: text })).toThrow("expected a time"),
  );
});

describe("every command", () => {
  const made = commands.map((add) => add({} as Shell, () => {}));
  const optionOf = (command: Command, flag: string) => command.options.find(({ long }) => long === flag);

  it.each(["--selector", "--key", "--output", "--dry-run", "--plan-namespace"])(
    "that has %s spells and describes it as the others do",
    (flag) => {
      const all = made.filter((command) => command.name() !== "bundle").map((one) => optionOf(one, flag));
      const found = all.filter((one) => one !== undefined);
      expect(found.length).toBeGreaterThan(1);
      expect(new Set(found.map(({ flags }) => flags)).size).toBe(1);
      if (flag !== "--selector") expect(new Set(found.map(({ description }) => description)).size).toBe(1);
    },
  );

  it.each(made.map((command) => [command.name(), command] as const))(
    "%s has a sentence, examples and exit codes",
    (name, command) => {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      expect(command.description()).toMatch(/^[A-Z][^.]*[^.]$/);
      expect(help).toMatch(new RegExp(`^  kubectl kube-node ${name}`, "m"));
      expect(help).toMatch(/^Exit codes:$(\n {2}\d.*)+/m);
      expect(help).toMatch(/^ {2}2 .*a mistake in the words/m);
    },
  );
});

it("flags without a value may be given one, as kubectl's", () => {
  const program = new Command()
    .addOption(new Option("--force"))
    .addCommand(new Command("a").option("--all").option("--key <key>"));
  const words = ["--force=true", "a", "--all=false", "--all=true", "--key=true", "--other=true", "b=true"];
  expect(spellFlags(program, words)).toEqual([
    "--force",
    "a",
    "--all",
    "--key=true",
    "--other=true",
    "b=true",
  ]);
});
