// What check-config accepts the plugin accepts, and what the plugin refuses check-config reports.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownKeys, reservedKeys } from "../../src/api/plugin-config.ts";
import { checkFiles } from "../../src/check/check-files.ts";
import { CniError } from "../../src/cni/error.ts";
import { parseNetwork } from "../../src/cni/network.ts";
import { openLog } from "../../src/host/log.ts";
import { type PluginName as Program, readers } from "../../src/request/readers.ts";
import type { JsonObject } from "../../src/text/json.ts";

/** A configuration may name any file as its log: none is written here. */
const silent = () => openLog("/dev/null", 50);

/** What the plugin says to a configuration as a runtime sends it: the error, or undefined where it goes on. */
async function refusal(program: Program, text: string): Promise<string | undefined> {
  try {
    await readers[program](parseNetwork(text), [], { NODE_ANNOTATION_CFG: "/dev/null" }, silent);
    return undefined;
  } catch (error) {
    if (error instanceof CniError) return `${error.message}: ${error.details}`;
    throw error;
  }
}

function errorsOf(text: string): string[] {
  const findings = checkFiles([{ name: "f", text }]);
  return findings.filter(({ severity }) => severity === "error").map(({ words }) => words);
}

/** What is an error here though the plugin goes on: what nobody reads, or host-local or the runtime would stumble over. */
const stricter =
  /unknown key|never reads it|stands twice|ipam\.(routes|resolvConf)|^type: expected the plugin's name|did you mean/;

const known = fc.constantFrom(...ownKeys, ...reservedKeys, "routes", "resolvConf");
const spelled = fc.tuple(known, fc.boolean()).map(([key, upper]) => (upper ? key.toUpperCase() : key));
const key = fc.oneof({ weight: 5, arbitrary: spelled }, fc.string(), fc.constant("__proto__"));
const value = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    "",
    "a",
    "a\0b",
    "a/b",
    "kube-node",
    "host-local",
    [],
    ["a"],
    ["a\0"],
    "/data",
  ),
  fc.constantFrom<unknown>(
    0,
    -1,
    1.5,
    2,
    220,
    221,
    1e300,
    true,
    {},
    [""],
    "/var/lib/kubelet/pods/a/b",
    "a\u001b",
  ),
  fc.constantFrom<unknown>([{ dst: "0.0.0.0/0" }], [{ dst: "x" }], [{}]),
  fc.jsonValue({ maxDepth: 2 }),
);
const good = fc.constantFrom<[string, unknown]>(
  ["dataDir", "/data"],
  ["ipv4-namespaces", ["a"]],
  ["kubeconfig", "/k"],
  ["loglevel", 2],
  ["NODENAME", "a"],
  ["cacheTTL", 1.5],
  ["timeout", 2],
  ["nextipam", "other"],
  ["routes", [{ dst: "0.0.0.0/0" }]],
  ["resolvConf", "/etc/resolv.conf"],
);
const member = fc.oneof({ weight: 4, arbitrary: good }, fc.tuple(key, value));
const program = fc.constantFrom<Program[]>("kube-node", "node-annotation");
const ipam = fc
  .tuple(program, fc.array(member, { maxLength: 4 }), fc.boolean())
  .map(([type, members, named]) => {
    const isType = (name: string) => name.toLowerCase() === "type";
    const rest = members.filter(([name]) => !isType(name));
    return { type, ...(named && { annotation: "example.com/a" }), ...Object.fromEntries(rest) } as JsonObject;
  });
/** Mostly the first. */
const mostly = (usual: unknown, ...others: unknown[]) =>
  fc.oneof({ weight: 20, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));
const head = fc
  .record({
    name: mostly("net1", "", "a b", 5, null, "-a"),
    cniVersion: mostly("1.0.0", "0.4.0", "", undefined, "3.0.0", 1, null, []),
    type: mostly("bridge", 7, null),
    runtimeConfig: mostly(undefined, {}, { ipRanges: [] }, { IPRANGES: 1 }, null, 5),
    odd: mostly({}, { ARGS: {} }, { Name: "x" }, { args: 5 }),
  })
  .map(({ odd, ...head }) => ({ ...head, ...(odd as object) }));

describe("check-config and the plugin", () => {
  const configuration = fc.tuple(head, ipam).map(([head, ipam]) => ({ ...head, ipam }) as JsonObject);

  it("have the same verdict on a configuration, but for what nobody reads", async () => {
    const seen = { both: 0, neither: 0, stricter: 0 };
    const property = fc.asyncProperty(configuration, async (config) => {
      const text = JSON.stringify(config);
      const [errors, refused] = [
        errorsOf(text),
        await refusal((config["ipam"] as JsonObject)["type"] as Program, text),
      ];
      if (refused !== undefined) expect(errors, refused).not.toEqual([]);
      else expect(errors.filter((words) => !stricter.test(words))).toEqual([]);
      seen[refused !== undefined ? "both" : errors.length > 0 ? "stricter" : "neither"]++;
    });
    await fc.assert(property, { numRuns: 4000 });
    // Each of them often enough to tell anything.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  });

  it("have it on each plugin of a list, which a runtime sends with the list's name and version", async () => {
    const list = fc.tuple(head, fc.array(ipam, { minLength: 1, maxLength: 3 }));
    const property = fc.asyncProperty(list, async ([{ name, cniVersion, ...own }, ipams]) => {
      const plugins = ipams.map((ipam) => ({ ...own, ipam }) as JsonObject);
      const version = cniVersion === undefined ? {} : { cniVersion };
      const errors = errorsOf(JSON.stringify({ name, ...version, plugins }));
      for (const plugin of plugins) {
        const sent = JSON.stringify({ ...plugin, name, ...version });
        const refused = await refusal((plugin["ipam"] as JsonObject)["type"] as Program, sent);
        if (refused !== undefined) expect(errors, refused).not.toEqual([]);
      }
    });
    await fc.assert(property, { numRuns: 500 });
  });

  it("have it on any text at all", async () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      configuration.map((one) => `${JSON.stringify(one)}x`),
    );
    const property = fc.asyncProperty(text, async (text) => {
      if (!text.trimStart().startsWith("{")) return;
      if ((await refusal("kube-node", text)) !== undefined && !isObjectOfOthers(text))
        expect(errorsOf(text)).not.toEqual([]);
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it("on nesting that is too deep for the plugin", async () => {
    const deep = `${"[".repeat(100)}${"]".repeat(100)}`;
    const text = `{"name": "n", "type": "b", "args": ${deep}, "ipam": {"type": "kube-node"}}`;
    expect(await refusal("kube-node", text)).toMatch(/nested too deeply/);
    expect(errorsOf(text)).toEqual([expect.stringMatching(/nested too deeply/)]);
  });
});

/** Something that says of itself that it isn't ours. */
function isObjectOfOthers(text: string): boolean {
  try {
    const value = JSON.parse(text) as JsonObject;
    return "kind" in value || "apiVersion" in value || !("ipam" in value);
  } catch {
    return false;
  }
}
