// Where the executable reads what others wrote, and how rubbish gets there.
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { putFile, type RubbishCall } from "./node-calls.ts";

/** A machine of one call: its dataDir, its Node, and a call of network net1 with these keys over `ipam`, and with this environment. */
export type Place = {
  dataDir: string;
  /** Gives the key of an annotation with this text. */
  annotate(text: string): Promise<string>;
  call(verb: string, ipam?: object, env?: Record<string, string>): RubbishCall;
};

/** Where rubbish can stand: good texts for it to be like, and the call that reads it. */
export type Spot = {
  good: string[];
  verbs: string[];
  prepare(place: Place, text: string, verb: string): RubbishCall | Promise<RubbishCall>;
};

/** Linux takes variables of 128 KiB at most; a character has up to four bytes. */
const longestVariable = 30_000;

/** An API server takes 256 KiB of annotations. */
const longestAnnotation = 80_000;

const plugin = "rubbish-delegate";

const all = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"];
const record = {
  version: 1,
  containerID: "c1",
  ifname: "eth0",
  delegate: "host-local",
  ipam: { type: "host-local", ranges: [[{ subnet: "10.1.0.0/24" }]] },
  time: "2026-01-01T00:00:00.000Z",
  bootID: "b",
  uptime: 1,
  nonce: "1-abc",
};
const inState =
  (name: string): Spot["prepare"] =>
  (place, text, verb) => {
    putFile(join(place.dataDir, ".kube-node/net1", name), text);
    return place.call(verb);
  };

/** By what it is. */
export const spots: Record<string, Spot> = {
  "standard input": {
    good: [
      '{"cniVersion":"1.1.0","name":"net1","type":"bridge","ipam":{"type":"kube-node"},"prevResult":{"ips":[]},"cni.dev/valid-attachments":[]}',
    ],
    verbs: all,
    prepare: (place, text, verb) => ({ ...place.call(verb), stdin: text }),
  },
  "standard input, as bytes": {
    good: ['{"cniVersion":"1.1.0","name":"net1","ipam":{"type":"kube-node"}}'],
    verbs: all,
    prepare: (place, text, verb) => ({ ...place.call(verb), stdin: Buffer.from(text, "latin1") }),
  },
  "values in the configuration": {
    good: ["5", '"10.1.2.0/24"', '[{"dst":"0.0.0.0/0"}]', '{"cni":{"ips":["10.1.0.9"]}}'],
    verbs: all,
    prepare: (place, text, verb) => {
      // As text: what is very deep couldn't be printed.
      const value = isJson(text) ? text : JSON.stringify(text);
      const call = place.call(verb, { [text.slice(0, 20)]: 1, routes: "HERE" });
      const stdin = String(call.stdin)
        .replace('"HERE"', () => value)
        .replace("{", () => `{"args":${value},"dns":${value},`);
      return { ...call, stdin };
    },
  },
  "the environment": {
    good: ["c1\neth0\n/var/run/netns/a\nIgnoreUnknown=1;K8S_POD_NAMESPACE=a\n/opt/cni/bin"],
    verbs: all,
    prepare: (place, text, verb) => {
      const names = [
        "CNI_CONTAINERID",
        "CNI_IFNAME",
        "CNI_NETNS",
        "CNI_ARGS",
        "CNI_PATH",
        "NODE_NAME",
        "KUBECONFIG",
      ];
      const values = text.replaceAll("\0", "").slice(0, longestVariable).split("\n");
      return place.call(
        verb,
        {},
        Object.fromEntries(values.slice(0, names.length).map((value, i) => [names[i] ?? "", value])),
      );
    },
  },
  "an annotation": {
    good: ["10.1.2.0/24, fd00::/64", '[[{"subnet":"10.1.2.0/24"}]]', "10.1.2.10-10.1.2.99/24"],
    verbs: ["ADD", "STATUS"],
    prepare: async (place, text, verb) =>
      place.call(verb, { annotation: await place.annotate(text.slice(0, longestAnnotation)) }),
  },
  "a kubeconfig": {
    good: [
      "apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a\n",
    ],
    verbs: ["ADD", "DEL", "STATUS"],
    prepare: (place, text, verb) => {
      putFile(join(place.dataDir, "../kubeconfig"), text);
      return place.call(verb);
    },
  },
  "a record": {
    good: [JSON.stringify(record)],
    verbs: ["ADD", "DEL", "CHECK", "GC"],
    prepare: inState("attachments/c1:eth0"),
  },
  "last-known ranges": {
    good: [
      '{"version":1,"source":"spec.podCIDRs","node":{"name":"worker-1","uid":"u"},"machineIDs":[],"value":["10.1.0.0/24"],"bootID":"b","at":1,"time":"t"}',
    ],
    verbs: ["ADD", "DEL", "STATUS"],
    prepare: inState("ranges-spec.podCIDRs"),
  },
  "a lease": {
    good: ["c1\r\neth0", "c2"],
    verbs: ["ADD", "DEL", "CHECK", "GC"],
    prepare: (place, text, verb) => {
      for (const name of ["10.1.0.2", "last_reserved_ip.0"]) putFile(join(place.dataDir, "net1", name), text);
      return place.call(verb);
    },
  },
  "kube-node.json": {
    good: ['{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}]]}'],
    verbs: ["ADD", "DEL"],
    prepare: (place, text, verb) => {
      putFile(join(place.dataDir, "kube-node.json"), text);
      return place.call(verb, { kubeconfig: "/nowhere/kubeconfig" });
    },
  },
  "a delegate's output": {
    good: [
      '{"cniVersion":"1.1.0","ips":[{"address":"10.1.0.2/24"}]}',
      '{"code":11,"msg":"m","details":"d"}',
      '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}',
    ],
    verbs: ["ADD", "DEL", "CHECK", "GC", "STATUS"],
    prepare: (place, text, verb) => {
      const output = putFile(join(place.dataDir, "../output"), text);
      const path = putFile(
        join(place.dataDir, "..", plugin),
        `#!/bin/sh\ncat >/dev/null\ncat '${output}'\nexit ${text.length % 2}\n`,
      );
      chmodSync(path, 0o755);
      return place.call(verb, { nextipam: plugin });
    },
  },
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
