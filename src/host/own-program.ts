const isCompiled = "Bun" in globalThis;

/** How to start this very executable by another of its names: `path`, `args` and `argv0` of host/exec.ts's Program. */
export function ownProgram(name: "kube-node" | "node-annotation" | "nv-ipam"): {
  path: string;
  args: string[];
  argv0?: string;
} {
  const { execPath, argv } = process;
  if (isCompiled) return { path: execPath, args: [], argv0: name };
  // Sources under Node: bin/NAME.ts beside the one that was started.
  return { path: execPath, args: [`${(argv[1] ?? "").replace(/[^/]*$/, "")}${name}.ts`] };
}
