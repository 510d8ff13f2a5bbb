import { join } from "node:path";
import { execa } from "execa";
import { checkout } from "../parts/tools.ts";

/** The archive of the image that the manifests name, built from what is compiled. */
export async function buildImage(): Promise<string> {
  await execa(join(checkout, "build.sh"), ["image"], { env: { NO_PACKAGES: "1" } });
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const output = process.env["KUBE_NODE_OUTPUT"] ?? join(checkout, "_output");
  return join(output, `kube-node-ipam-${architecture}.tar`);
}
