/** The query of a write: what this program calls itself in objects' managedFields. */
export const asManager = "?fieldManager=kubectl-kube_node";
