import { execaSync } from "execa";
import * as net from "../../test/parts/namespace.ts";

/** In this process' own network namespace: one switch for nodes and API server, one for the pods' second interfaces. */
export function addSwitches(): void {
  ip("link set lo up");
  for (const name of ["switch", "switch-1"]) {
    ip(`link add ${name} type bridge`);
    ip(`link set ${name} up`);
  }
  ip("address add 192.0.2.1/24 dev switch");
}

/** Its IPv6 addresses are usable at once. */
export function addNamespace(name: string): net.Namespace {
  ip(`netns add ${name}`);
  ip(`-n ${name} link set lo up`);
  const namespace = { name, path: `/run/netns/${name}` };
  net.setKernel(namespace, "net/ipv6/conf/default/accept_dad", "0");
  return namespace;
}

/** eth0 for the node itself, eth1 behind the bridge br1 for second interfaces. */
export function connectNode(namespace: net.Namespace, number: number): void {
  const { name } = namespace;
  const addresses = [`${nodeAddress(number, ".")}/24`, `${nodeAddress(number, ":")}/64`];
  net.allowForwarding(namespace);
  net.connect({ link: name, bridge: "switch" }, { namespace, link: "eth0", addresses });
  net.addBridge(namespace, "br1");
  net.connect({ link: `${name}-1`, bridge: "switch-1" }, { namespace, link: "eth1", bridge: "br1" });
}

/** Of the family of `like`, in the networks for documentation: RFC 5737 and 3849. */
export function nodeAddress(number: number, like: string): string {
  return like.includes(":") ? `2001:db8::1${number}` : `192.0.2.1${number}`;
}

function ip(words: string): void {
  execaSync("ip", words.split(" "));
}
