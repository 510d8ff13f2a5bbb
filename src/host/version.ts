declare const KUBE_NODE_VERSION: string | undefined;

/** Baked in by the build (scripts/executables.sh); sources that run as they are have none. */
export const version = typeof KUBE_NODE_VERSION === "undefined" ? "(sources, not built)" : KUBE_NODE_VERSION;
