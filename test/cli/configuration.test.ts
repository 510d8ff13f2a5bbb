import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NotOurs, readConfiguration } from "../../src/cli/configuration.ts";
import { readPod } from "../../src/cli/pod.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { testFolder } from "../host/folder.ts";

function read(document: unknown) {
  const path = join(testFolder(), "conf");
  writeFileSync(path, typeof document === "string" ? document : JSON.stringify(document));
  return readConfiguration(path);
}

const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/);
const program = fc.constantFrom("kube-node" as const, "node-annotation" as const);
const type = name.filter((one) => one !== "kube-node" && one !== "node-annotation");
const others = fc.array(
  fc.record({ type }, { requiredKeys: [] }).map((ipam) => ({ type: "other", ipam })),
  { maxLength: 3 },
);
const version = fc.constantFrom("0.4.0", "1.0.0", "1.1.0");

describe("a configuration", () => {
  it("is the list's plugin that is ours, wherever it stands, under the list's name and version", () => {
    fc.assert(
      fc.property(name, version, program, others, others, (network, cniVersion, ours, before, after) => {
        const ipam = { type: ours, annotation: "a" };
        const plugin = { type: "bridge", bridge: "br0", name: "own", cniVersion: "0.1.0", ipam };
        const found = read({ name: network, cniVersion, plugins: [...before, plugin, ...after] });
        expect(found.program).toBe(ours);
        expect(found.network).toEqual({
          name: network,
          cniVersion,
          raw: { name: network, cniVersion, type: "bridge", bridge: "br0", ipam },
        });
      }),
      { numRuns: 50 },
    );
  });

  it("of other plugins is none of ours, alone or in a list", () => {
    fc.assert(
      fc.property(name, others, (network, plugins) => {
        expect(() => read({ name: network, plugins })).toThrow(NotOurs);
        for (const plugin of plugins) expect(() => read({ ...plugin, name: network })).toThrow(NotOurs);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ["", "no network configuration"],
    ["[", "is not JSON"],
    ["[]", "is no JSON object"],
    ['{"plugins": []}', "without a name"],
    ['{"name": "n", "cniVersion": "9.9.9", "ipam": {"type": "kube-node"}}', "incompatible CNI version"],
  ])("%j: an error that names the file", (text, words) => {
    expect(() => read(text)).toThrow(new RegExp(`^/\\S+/conf: .*${words}`));
  });
});

describe("a pod", () => {
  it.each([
    [{}, {}],
    [{ namespace: "db" }, { namespace: "db" }],
    [{ pod: "mysql" }, { name: "mysql" }],
    [{ pod: "db/mysql" }, { namespace: "db", name: "mysql" }],
    [
      { namespace: "db", pod: "db/mysql" },
      { namespace: "db", name: "mysql" },
    ],
  ])("%j is %j", (given, pod) => {
    expect(readPod({ namespace: undefined, pod: undefined, ...given })).toEqual(pod);
  });

  it.each([{ pod: "a/b/c" }, { pod: "a/b", namespace: "c" }])("%j is a mistake", (given) => {
    expect(() => readPod({ namespace: undefined, ...given })).toThrow(UsageError);
  });
});
