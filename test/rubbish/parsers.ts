// Every reader of text that comes from outside, as a table. Runs under Node and under Bun, whose JSON, YAML and regular
// expressions are others.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AnnotationError } from "../../src/api/annotation.ts";
import { nestRanges, parseAnnotationBody } from "../../src/api/annotation-body.ts";
import { parseNodeAnnotationConfig } from "../../src/api/node-annotation-config.ts";
import { readConfig } from "../../src/api/plugin-config.ts";
import { explainConfig } from "../../src/api/plugin-config-explained.ts";
import { readCall } from "../../src/cni/environment.ts";
import { CniError, code } from "../../src/cni/error.ts";
import { parseNetwork } from "../../src/cni/network.ts";
import { convertResult, hasAddresses } from "../../src/cni/result.ts";
import { versions } from "../../src/cni/versions.ts";
import { bootID, machineIDs } from "../../src/host/machine.ts";
import { readConnection } from "../../src/kube/connection.ts";
import { findCredentialFault } from "../../src/kube/credential-fault.ts";
import { nodeNameOf } from "../../src/kube/identity.ts";
import { chooseProxy } from "../../src/kube/proxy.ts";
import { findRecord, listRecords } from "../../src/lease/record.ts";
import { parseLease, readLeases } from "../../src/lease/store.ts";
import { readLastAnswer, readLastFailure } from "../../src/ranges/last-answer.ts";
import { readLegacyCache } from "../../src/ranges/legacy-cache.ts";
import { annotation, annotationBody, podCIDRs } from "../../src/ranges/source.ts";
import { gateFamilies } from "../../src/request/delegate-config.ts";
import { isObject, type JsonObject } from "../../src/text/json.ts";

/** `good`: texts that it takes. Of errors, `read` throws those alone that `refuses` knows. */
export type Parser = {
  good: string[];
  read(text: string): unknown;
  refuses?: (error: unknown) => boolean;
  /** How much of the whole it gets: 1 by default. */
  share?: number;
  /** No monsters under Node, where the reading of YAML takes minutes for them: the executable has Bun's. */
  tame?: boolean;
};

const isCniError = (error: unknown) => error instanceof CniError;
const isPlainError = (error: unknown) => error instanceof Error && error.constructor === Error;
const isAnnotationError = (error: unknown) => error instanceof AnnotationError;

const node = { name: "worker-1", uid: "u1" };
const here = { bootID: "b", at: 5 };
const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t}}]
users: [{name: a, user: {token: "abc"}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
current-context: a
`;
const token = `${["{}", '{"kubernetes.io":{"node":{"name":"n"}},"exp":1}'].map((part) => Buffer.from(part).toString("base64url")).join(".")}.c2ln`;

/** The table, with a folder of its own for what is read from files; `close` removes it. */
export function makeParsers(): { parsers: Record<string, Parser>; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), "parsers-"));
  const [attachments, store, data] = ["attachments", "store", "data"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [attachments, store, data]) mkdirSync(path);
  const parsers: Record<string, Parser> = {
    "a network configuration": {
      good: [
        '{"cniVersion":"1.0.0","name":"net1","type":"bridge","ipam":{"type":"kube-node"},"args":{"cni":{"ips":["10.1.2.3"]}}}',
      ],
      read: parseNetwork,
      refuses: isCniError,
    },
    "ipam of kube-node": {
      good: [
        '{"type":"kube-node","annotation":"a/b","ipv4-namespaces":["x"],"timeout":5,"cacheTTL":0,"nextipam":"host-local"}',
      ],
      read: (text) => readIpam(parseJson(text)),
    },
    "an environment": {
      good: ["ADD\nc1\neth0\n/run/netns/a\nK8S_POD_NAMESPACE=a;K8S_POD_NAME=b\n/opt/cni/bin:/usr/lib/cni"],
      read: readEnvironment,
      refuses: isCniError,
    },
    "spec.podCIDRs": {
      good: ['["10.1.0.0/24","fd00::/64"]', '["::/0"]'],
      read: (text) => podCIDRs.parse(toTexts(parseJson(text), text), "worker-1"),
      refuses: isCniError,
    },
    "an annotation": {
      good: [
        "10.1.2.0/24, fd00::/64",
        "10.1.2.10-10.1.2.99/24",
        '[[{"subnet":"10.1.2.0/24","rangeStart":"10.1.2.9"}]]',
        '{"ranges":[[{"subnet":"fd00::/64"}]],"routes":[{"dst":"::/0"}]}',
      ],
      read: (text) => gate(annotation("k").parse(text, "worker-1")),
      refuses: isCniError,
    },
    "an annotation's body": {
      good: [
        'ranges: [[{subnet: "172.16.5.0/24"}]], routes: [{dst: "0.0.0.0/0"}]',
        '"ranges": [{"subnet": "16.0.0.0/24"}]',
      ],
      read: (text) => gate(nestRanges(annotationBody("k").parse(text, "worker-1"))),
      refuses: isCniError,
    },
    "an annotation's body by itself": {
      good: ["a: 1, b: [true]"],
      read: parseAnnotationBody,
      refuses: isAnnotationError,
    },
    "the node's own file": {
      good: ['{"kubeconfig":"/a","nextipam":"/opt/cni/bin/host-local","log":"/var/log/x"}'],
      read: parseNodeAnnotationConfig,
      refuses: isPlainError,
    },
    "a lease": { good: ["c1\r\neth0", "c1"], read: parseLease },
    "a store": {
      good: ["c1\r\neth0"],
      read: fromFile(join(store, "10.1.0.2"), () => readLeases(store)),
      share: 0.5,
    },
    "a record": {
      good: [
        JSON.stringify({
          version: 1,
          containerID: "c1",
          ifname: "eth0",
          delegate: "host-local",
          ipam: {},
          time: "t",
          bootID: "b",
          uptime: 1,
          nonce: "n",
        }),
        "c1\r\neth0",
      ],
      read: fromFile(join(attachments, "c1:eth0"), () => [
        findRecord(attachments, "c1", "eth0"),
        listRecords(attachments),
      ]),
      share: 0.5,
    },
    "the last answer": {
      good: [
        JSON.stringify({
          version: 1,
          source: "s",
          node,
          machineIDs: machineIDs(),
          value: ["10.1.0.0/24"],
          ...here,
          time: "t",
        }),
      ],
      read: fromFile(join(folder, "ranges-s"), () => readLastAnswer(folder, "s", machineIDs())),
      share: 0.5,
    },
    "the last failure": {
      good: [JSON.stringify({ ...here, bootID: bootID(), kind: "outage", reason: "r" })],
      read: fromFile(join(folder, "failure-s"), () => readLastFailure(folder, "s")),
      share: 0.5,
    },
    "kube-node.json": {
      good: ['{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00::/64"}]]}'],
      read: fromFile(join(data, "kube-node.json"), () => readLegacyCache(data, "net1")),
      share: 0.5,
    },
    "a delegate's result": {
      good: [
        '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.2/24","gateway":"10.1.0.1"}],"routes":[{"dst":"::/0"}],"dns":{}}',
        '{"ip4":{"ip":"10.1.0.2/24","routes":[]}}',
      ],
      read: (text) => convert(parseJson(text)),
    },
    "a kubeconfig": {
      good: [kubeconfig],
      read: fromFile(join(folder, "kubeconfig"), (kubeconfig) =>
        readConnection({ kubeconfig, env: {}, deadline: Date.now() + 2000 }),
      ),
      refuses: isCniError,
      share: 0.25,
      tame: true,
    },
    credentials: {
      good: [token, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
      read: async (text) => {
        const shown = { cert: text, key: text, token: text, ca: text };
        return [
          await nodeNameOf(shown),
          findCredentialFault({ ...shown, server: "https://a", insecure: false, origin: "o" }, 0),
        ];
      },
    },
    "$HTTPS_PROXY and $NO_PROXY": {
      good: ["http://127.0.0.1:3128\n10.0.0.0/8,fd00::/8,.example.com,[::1]:6443"],
      read: (text) => {
        const [HTTPS_PROXY = "", NO_PROXY = ""] = text.split("\n");
        return Promise.all(
          ["https://a.b:6443", "https://10.1.1.1", "https://[fd00::1]:1"].map((url) =>
            chooseProxy(url, { HTTPS_PROXY, NO_PROXY }),
          ),
        );
      },
      refuses: isCniError,
    },
  };
  return { parsers, close: () => rmSync(folder, { recursive: true, force: true }) };
}

function fromFile(path: string, read: (path: string) => unknown): Parser["read"] {
  return (text) => {
    writeFileSync(path, text, { mode: 0o600 });
    return read(path);
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Both verdicts on an `ipam` agree, and one that is refused is refused with a reason. */
function readIpam(value: unknown): void {
  if (!isObject(value) || readConfig(value)) return;
  if (explainConfig(value).length === 0) throw new Error("refused without a reason");
}

function readEnvironment(text: string): unknown {
  const [verb, id, ifname, netns, args, path] = text.split("\n");
  return readCall({
    CNI_COMMAND: verb,
    CNI_CONTAINERID: id,
    CNI_IFNAME: ifname,
    CNI_NETNS: netns,
    CNI_ARGS: args,
    CNI_PATH: path,
  });
}

/** IPv6 only; a Node that has none is told so. */
function gate(ipam: JsonObject): unknown {
  try {
    return gateFamilies(ipam, [], {}, "worker-1");
  } catch (error) {
    if (error instanceof CniError && error.code === code.noFamilyLeft) return undefined;
    throw error;
  }
}

function toTexts(value: unknown, text: string): string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : [text];
}

function convert(value: unknown): unknown {
  if (!hasAddresses(value)) return undefined;
  return versions.map((version) => JSON.stringify(convertResult(value, version)));
}
