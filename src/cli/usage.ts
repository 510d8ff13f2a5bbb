/** What `-h` prints. */
export const usage = {
  "kube-node": `kube-node: CNI IPAM plugin; gives pods addresses of the ranges that stand on their Kubernetes Node

A container runtime calls it with CNI_COMMAND=ADD, DEL, CHECK, GC, STATUS or VERSION and a network configuration:

  {"cniVersion": "1.0.0", "name": "net1", "type": "bridge", "ipam": {"type": "kube-node"}}

Keys of ipam:
  annotation        the Node's annotation that holds the ranges (default: spec.podCIDRs)
  ipv4-namespaces   the only namespaces whose pods get IPv4
  kubeconfig        credentials for the API server (default: $KUBECONFIG, ~/.kube/config, in-cluster, the kubelet's)
  nodeName          this machine's Node (default: $NODE_NAME, the credentials', the one with this machine's machine-id)
  dataDir           where host-local keeps its leases (default: /var/lib/cni/networks)
  nextipam          the delegate, a name in CNI_PATH (default: host-local)
  cacheTTL          for how many seconds an answer of the API server is fresh (default: 0; podCIDRs 300)
  timeout           seconds for a whole call (default: 15)
  logfile, loglevel where and how much to log (info, debug, trace)

  -version, --version   what this is
  -h, --help            this text`,

  "nv-ipam": `nv-ipam: CNI IPAM plugin; kube-node under the name of another one, whose configurations it serves as they are

  {"cniVersion": "1.0.0", "name": "net1", "type": "host-device",
   "ipam": {"type": "nv-ipam", "poolName": "pool1", "poolType": "ippool"}}

Keys of ipam:
  poolName          the pool, or two as in "v4pool,v6pool" (default: the network's name)
  poolType          ippool or cidrpool (default: ippool)
  forcePoolName     a network that names no pool is refused
  confDir           where nv-ipam.conf has defaults for all of these (default: /etc/cni/net.d/nv-ipam.d)
  logFile, logLevel where and how much to log (default: /var/log/nv-ipam-cni.log, info)
  and those of kube-node. daemonSocket and daemonCallTimeoutSeconds are passed over: there is no daemon.

Commands for people are kube-node's: kube-node -h lists them. kube-node adopt takes over what nv-ipam's own plugin leased.

  -version, --version   what this is
  -h, --help            this text`,

  "node-annotation": `node-annotation: CNI IPAM plugin; fills ipam with what stands in an annotation of the Kubernetes Node

  {"cniVersion": "1.0.0", "name": "mynet", "type": "ipvlan", "master": "eth0",
   "ipam": {"type": "node-annotation", "annotation": "example.com/ipvlan-ranges"}}

Commands:
  ipam                                    be the IPAM plugin (the default; without CNI_COMMAND it is tried out:
                                          NODE_ANNOTATION_CFG=<(echo '{"nextipam": "cat"}') node-annotation <conf.json)
  my_node                                 print this machine's Node
  get_annotation [--node=NODE] ANNOTATION print an annotation of a Node
  error_quit [MESSAGE]                    print an error as CNI has it, and fail
  -h, help                                this text
  -version, --version                     what this is

/etc/cni/node-annotation.conf or $NODE_ANNOTATION_CFG: {"kubeconfig": "…", "nextipam": "…", "log": "…"}, all optional.`,
} as const;
