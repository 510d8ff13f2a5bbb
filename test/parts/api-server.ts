import type { Issued } from "./certificates.ts";

/** What a Node is made of; podCIDRs can't change later, as in a real cluster. */
export type NodeSpec = {
  name: string;
  podCIDRs?: string[];
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  machineID?: string;
};

/** The part of a v1 Node that tests look at. */
export type KubeNode = {
  apiVersion: "v1";
  kind: "Node";
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
  };
  spec: { podCIDR?: string; podCIDRs?: string[] };
  status: { nodeInfo: { machineID: string } };
};

/**
 * Who asks. `expired` gives credentials that ended an hour ago. A ServiceAccount may GET the Nodes named in `mayRead`, or
 * GET and LIST all; the newest call for a ServiceAccount decides. `boundTo` names a Node that must exist: the token carries
 * it as the claim `kubernetes.io.node.name` and ends with it.
 */
export type Identity =
  | { kind: "admin" }
  | { kind: "anonymous" }
  | { kind: "kubelet"; node: string; expired?: boolean }
  | {
      kind: "serviceAccount";
      namespace: string;
      name: string;
      mayRead: string[] | "all" | "none";
      boundTo?: string;
      expired?: boolean;
    };

/** What a client shows: a client certificate, a bearer token, or nothing. */
export type Credentials = { client?: Issued; token?: string };

/**
 * `url` and `authority` (PEM) in the place of the server's own; with `folder`, credentials are files there (`client.pem`
 * with certificate and key as the kubelet has it, `token`), else they are inline.
 */
export type KubeconfigOptions = { url?: string; authority?: string; folder?: string };

/** An API server that tests run against. Both implementations pass test/contract/api-server.test.ts. */
export type ApiServer = {
  /** https://ADDRESS:PORT, the same after every start. */
  url: string;
  /** The certificate authority of server and clients, PEM. */
  authority: string;
  createNode(node: NodeSpec): Promise<KubeNode>;
  getNode(name: string): Promise<KubeNode | undefined>;
  deleteNode(name: string): Promise<void>;
  /** `null` takes the annotation away. */
  setAnnotation(node: string, key: string, value: string | null): Promise<void>;
  credentialsFor(identity: Identity): Promise<Credentials>;
  /** The text of a kubeconfig. */
  kubeconfigFor(identity: Identity, options?: KubeconfigOptions): Promise<string>;
  /** After it connections are refused; Nodes and ServiceAccounts stay. */
  stop(): Promise<void>;
  /** Listens again where it did. */
  start(): Promise<void>;
  /** Stops for good and leaves nothing behind. */
  close(): Promise<void>;
};
