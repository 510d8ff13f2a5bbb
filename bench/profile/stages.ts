/** A function whose calls are a stage of a call; `within` another stage where it lies in that. */
export type Stage = { stage: string; file: string; functions: string[]; within?: string };

/** In their order. What lies before, between and after them is told by the clock. */
export const stages: Stage[] = [
  { stage: "environment", file: "src/cni/environment.ts", functions: ["readCall"] },
  { stage: "starting host-local", file: "src/plugin/early-delegate.ts", functions: ["beginEarly"] },
  { stage: "standard input", file: "src/plugin/main.ts", functions: ["readInput"] },
  { stage: "parsing", file: "src/cni/network.ts", functions: ["parseNetwork"] },
  { stage: "parsing", file: "src/plugin/main.ts", functions: ["readRequest"] },
  { stage: "ranges", file: "src/ranges/node-ranges.ts", functions: ["findRanges"] },
  { stage: "kubeconfig", file: "src/kube/connection.ts", functions: ["readConnection"], within: "ranges" },
  { stage: "request", file: "src/ranges/own-node.ts", functions: ["askOwnNode"], within: "ranges" },
  { stage: "record", file: "src/plugin/attachment.ts", functions: ["claimAttachment"] },
  { stage: "record", file: "src/lease/record.ts", functions: ["findRecord", "removeRecord"] },
  { stage: "delegate", file: "src/plugin/delegate.ts", functions: ["callDelegate"] },
  { stage: "waiting for it", file: "src/host/exec.ts", functions: ["finish"], within: "delegate" },
  { stage: "output", file: "src/plugin/main.ts", functions: ["print"] },
];
