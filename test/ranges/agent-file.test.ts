import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { bootID, uptime } from "../../src/host/machine.ts";
import { type AgentNode, longestSilence } from "../../src/ranges/agent-file.ts";
import { callElsewhere } from "../host/other-process.ts";
import { whatLacks } from "../parts/tools.ts";

// The agent's folder is /run/kube-node: each test has a /run of its own.
const canMount = !execaSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"], {
  reject: false,
}).failed;
const lack = whatLacks(canMount ? {} : { missing: "the right to make mount namespaces" });

const node: AgentNode = {
  name: "node-a",
  uid: "u1",
  machineID: "m1",
  podCIDRs: ["10.1.2.0/24"],
  annotations: { "example.com/net1": "10.2.0.0/24" },
};
const here = () => ({ bootID: bootID(), uptime: uptime(), machineIDs: ["m0", "m1"] });
const alive = () => ({ bootID: bootID(), heardAt: uptime() });

describe.skipIf(lack.some)(`readAgentFile${lack.words}`, () => {
  it("reads the Node that a living agent has seen", async () => {
    expect(await read(alive(), { version: 1, node })).toEqual({ ...node, silence: expect.any(Number) });
  });

  it("believes an agent for as long as it may be silent, and no longer", async () => {
    const heard = (ago: number) => ({ ...alive(), heardAt: uptime() - ago });
    expect(await read(heard(longestSilence - 2), { version: 1, node })).toEqual({
      ...node,
      silence: expect.any(Number),
    });
    expect(await read(heard(longestSilence + 1), { version: 1, node })).toBeUndefined();
  });

  it.each<[string, () => unknown, unknown]>([
    ["no agent", () => undefined, { version: 1, node }],
    ["an agent of another boot", () => ({ ...alive(), bootID: "b0" }), { version: 1, node }],
    ["one that heard in the future", () => ({ ...alive(), heardAt: uptime() + 60 }), { version: 1, node }],
    ["one that never heard", () => ({ bootID: bootID() }), { version: 1, node }],
    ["half a sign of life", () => '{"bootID":', { version: 1, node }],
    ["no Node", alive, undefined],
    ["half a Node", alive, '{"version": 1, "node": {'],
    ["a later version", alive, { version: 2, node }],
    ["another machine's Node", alive, { version: 1, node: { ...node, machineID: "m2" } }],
    ["a Node without name", alive, { version: 1, node: { ...node, name: undefined } }],
    ["a Node without annotations", alive, { version: 1, node: { ...node, annotations: null } }],
    [
      "a Node with podCIDRs that are no list",
      alive,
      { version: 1, node: { ...node, podCIDRs: "10.1.2.0/24" } },
    ],
  ])("reads nothing from %s", async (_, sign, document) => {
    expect(await read(sign(), document)).toBeUndefined();
  });

  it("reads nothing through links", async () => {
    const links = "mv /run/kube-node/node.json /run/n && ln -s /run/n /run/kube-node/node.json";
    expect(await read(alive(), { version: 1, node }, links)).toBeUndefined();
  });
});

async function read(sign: unknown, document: unknown, then = ":"): Promise<unknown> {
  const script = `
    mount -t tmpfs tmpfs /run && mkdir -m 755 /run/kube-node &&
    { [ -z "$ALIVE" ] || printf %s "$ALIVE" >/run/kube-node/alive; } &&
    { [ -z "$NODE" ] || printf %s "$NODE" >/run/kube-node/node.json; } &&
    ${then} && exec "$@"`;
  const outcome = await callElsewhere("node", ["ranges/agent-file.ts", "readAgentFile"], [here()], {
    env: { ALIVE: print(sign), NODE: print(document) },
    before: ["unshare", "--mount", "sh", "-c", script, "sh"],
  });
  expect(outcome.error).toBeUndefined();
  return outcome.value;
}

function print(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
