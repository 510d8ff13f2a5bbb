/** What kubectl asks for before it works with Nodes: versions, groups and resources. */
export const discovery: Readonly<Record<string, object>> = {
  "/version": { major: "1", minor: "34", gitVersion: "v1.34.0-embedded", platform: "linux/amd64" },
  "/api": { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] },
  "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
  "/api/v1": {
    kind: "APIResourceList",
    groupVersion: "v1",
    resources: [
      {
        name: "nodes",
        singularName: "node",
        namespaced: false,
        kind: "Node",
        verbs: ["create", "delete", "get", "list", "patch"],
        shortNames: ["no"],
      },
    ],
  },
};
