import { formatIp } from "../../src/address/ip.ts";
import { findRecord } from "../../src/lease/record.ts";
import { openState } from "../../src/lease/state.ts";
import { readLeases, storeFolder } from "../../src/lease/store.ts";
import type { DemoNode } from "./cluster.ts";
import type { Stage } from "./stage.ts";

/** Who holds which address, as host-local's stores and the plugin's records on the nodes' disks say. */
export type Holder = {
  address: string;
  node: string;
  pod: string;
  namespace: string;
  ifname: string;
  network: string;
};

export function readHolders(stage: Stage, nodes: DemoNode[], networks: string[]): Holder[] {
  return networks.flatMap((network) => nodes.flatMap((node) => readStore(stage, node, network)));
}

function readStore(stage: Stage, node: DemoNode, network: string): Holder[] {
  const dataDir = `${stage.varLib(node).here}/cni/networks`;
  const { attachments } = openState(dataDir, network);
  return readLeases(storeFolder(dataDir, network)).map(({ ip, containerID, ifname = "" }) => {
    const pod = findRecord(attachments, containerID, ifname)?.record?.pod;
    const [name, namespace] = [pod?.name ?? "", pod?.namespace ?? ""];
    return { address: formatIp(ip), node: node.name, pod: name, namespace, ifname, network };
  });
}
