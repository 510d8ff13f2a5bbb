/** The query of a write: what this program calls itself in objects' managedFields. */
export const asManager = "?fieldManager=kubectl-kube_node";

/** The same; in a dry run the API server checks what it is sent, and stores nothing. */
export function asManagerOf(isDryRun: boolean): string {
  return isDryRun ? `${asManager}&dryRun=All` : asManager;
}
