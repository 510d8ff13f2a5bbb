import { describe, expect, it } from "vitest";
import { type Call, type Environment, podOf, readCall } from "../../src/cni/environment.ts";

const all = {
  CNI_CONTAINERID: "c1",
  CNI_NETNS: "/var/run/netns/pod",
  CNI_IFNAME: "eth0",
  CNI_PATH: "/opt/cni/bin:/usr/lib/cni",
};
const attachment = { containerID: "c1", ifname: "eth0", netns: "/var/run/netns/pod" };
const path = ["/opt/cni/bin", "/usr/lib/cni"];

describe("readCall", () => {
  it.each(["ADD", "DEL", "CHECK"] as const)("reads %s", (verb) => {
    const call = readCall({ ...all, CNI_COMMAND: verb, CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAME=p" });
    const args = new Map([
      ["IgnoreUnknown", "1"],
      ["K8S_POD_NAME", "p"],
    ]);
    expect(call).toEqual({ verb, attachment, args, path });
  });

  it.each(["GC", "STATUS"] as const)("reads %s, which is for no container", (verb) => {
    expect(readCall({ CNI_COMMAND: verb, CNI_PATH: all.CNI_PATH })).toEqual({ verb, path });
  });

  it("reads VERSION, which needs nothing", () => {
    expect(readCall({ CNI_COMMAND: "VERSION" })).toEqual({ verb: "VERSION" });
  });

  it.each([undefined, ""])("lets a DEL come without a namespace (%j)", (netns) => {
    const call = readCall({ ...all, CNI_COMMAND: "DEL", CNI_NETNS: netns });
    expect(call).toMatchObject({ verb: "DEL", attachment: { containerID: "c1", ifname: "eth0" } });
    expect(call).not.toHaveProperty("attachment.netns");
  });

  it("passes over empty folders in CNI_PATH", () => {
    expect(readCall({ CNI_COMMAND: "GC", CNI_PATH: ":/a::/b:" })).toEqual({ verb: "GC", path: ["/a", "/b"] });
  });
});

describe("a missing variable is code 4 and named", () => {
  const needed: [string, string[]][] = [
    ["ADD", ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]],
    ["CHECK", ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]],
    ["DEL", ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"]],
    ["GC", ["CNI_PATH"]],
    ["STATUS", ["CNI_PATH"]],
  ];
  const cases = needed.flatMap(([verb, names]) => names.map((name) => [verb, name] as const));

  it.each(cases)("%s without %s", (verb, name) => {
    for (const value of [undefined, ""]) {
      expectFault({ ...all, CNI_COMMAND: verb, [name]: value }, `required env variables [${name}] missing`);
    }
  });

  it.each(needed)("%s without any", (verb, names) => {
    expectFault({ CNI_COMMAND: verb }, `required env variables [${names.join(",")}] missing`);
  });

  it.each([undefined, ""])("CNI_COMMAND %j", (verb) => {
    expectFault({ ...all, CNI_COMMAND: verb }, "required env variables [CNI_COMMAND] missing");
  });
});

describe("a malformed variable is code 4, with what was expected", () => {
  it.each(["add", "ADD ", "UPDATE", "toString", "__proto__", "hasOwnProperty"])("CNI_COMMAND %j", (verb) => {
    expectFault({ ...all, CNI_COMMAND: verb }, `unknown CNI_COMMAND: ${JSON.stringify(verb)}`);
  });

  it.each(["-c", ".", "..", "_c", "a/b", "a b", "a:b", "ä", "c1\n", "a~b", "../../etc/passwd"])(
    "CNI_CONTAINERID %j",
    (id) => {
      const message = `CNI_CONTAINERID is malformed: ${JSON.stringify(id)}`;
      expectFault({ ...all, CNI_COMMAND: "ADD", CNI_CONTAINERID: id }, message);
    },
  );

  it.each([".", "..", "a/b", "a:b", "eth 0", "eth\t0", "eth\u00a00", "eth0\n", "sixteen-letters-"])(
    "CNI_IFNAME %j",
    (name) => {
      const message = `CNI_IFNAME is malformed: ${JSON.stringify(name)}`;
      expectFault({ ...all, CNI_COMMAND: "DEL", CNI_IFNAME: name }, message);
    },
  );

  it.each(["a", "A.b_c-9", "0", "f".repeat(64)])("CNI_CONTAINERID %j is good", (id) => {
    expect(readCall({ ...all, CNI_COMMAND: "ADD", CNI_CONTAINERID: id })).toMatchObject({
      attachment: { containerID: id },
    });
  });

  it.each(["e", "eth0", "fifteen-letters", "eth0.100", "eth0@if5", "..."])(
    "CNI_IFNAME %j is good",
    (ifname) => {
      expect(readCall({ ...all, CNI_COMMAND: "ADD", CNI_IFNAME: ifname })).toMatchObject({
        attachment: { ifname },
      });
    },
  );

  it("shows no more than the beginning of a long value", () => {
    const error = faultOf({ ...all, CNI_COMMAND: "x".repeat(100_000) });
    expect(error.message.length).toBeLessThan(200);
  });
});

describe("CNI_ARGS", () => {
  it.each<[string, [string, string][]]>([
    ["", []],
    [";;", []],
    ["IP=10.0.0.1", [["IP", "10.0.0.1"]]],
    [
      "A=1;B=;C==",
      [
        ["A", "1"],
        ["B", ""],
        ["C", "="],
      ],
    ],
    ["noequals;=novalue;A=1", [["A", "1"]]],
    ["A=1;A=2", [["A", "1"]]],
    ["__proto__=x", [["__proto__", "x"]]],
  ])("%j", (text, pairs) => {
    const call = readCall({ ...all, CNI_COMMAND: "ADD", CNI_ARGS: text }) as Extract<Call, { args: unknown }>;
    expect([...call.args]).toEqual(pairs);
  });

  it("may say which pod it is", () => {
    const args = new Map([
      ["K8S_POD_NAMESPACE", "prod"],
      ["K8S_POD_NAME", "web-0"],
      ["K8S_POD_UID", "u1"],
      ["K8S_POD_INFRA_CONTAINER_ID", "c1"],
    ]);
    expect(podOf(args)).toEqual({ namespace: "prod", name: "web-0", uid: "u1" });
    expect(podOf(new Map([["K8S_POD_NAMESPACE", ""]]))).toEqual({});
    expect(podOf(new Map())).toEqual({});
  });
});

function expectFault(env: Environment, message: string): void {
  const error = faultOf(env);
  expect(error).toMatchObject({ code: 4, message });
  expect(error.details).not.toBe("");
}

function faultOf(env: Environment): Error & { details: string } {
  try {
    readCall(env);
  } catch (error) {
    return error as Error & { details: string };
  }
  throw new Error("it was accepted");
}
