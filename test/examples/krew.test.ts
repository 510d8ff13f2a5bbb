import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { checkout } from "../parts/tools.ts";

/** What krew asks of a manifest (krew 0.4, internal/index/validation/validate.go). */
const file = z.strictObject({ from: z.string().min(1), to: z.string().min(1) });
const platform = z.strictObject({
  selector: z.strictObject({ matchLabels: z.strictObject({ os: z.string(), arch: z.string() }) }),
  uri: z.url({ protocol: /^https$/ }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bin: z.string().regex(/^[^/.][^/]*$/),
  files: z.array(file).min(1),
});
const manifest = z.strictObject({
  apiVersion: z.literal("krew.googlecontainertools.github.com/v1alpha2"),
  kind: z.literal("Plugin"),
  metadata: z.strictObject({ name: z.string().regex(/^[\w-]+$/) }),
  spec: z.strictObject({
    version: z.string().regex(/^v\d+\.\d+\.\d+/),
    homepage: z.url(),
    shortDescription: z
      .string()
      .max(60)
      .regex(/^\S.*\S$/),
    description: z.string().min(1),
    caveats: z.string(),
    platforms: z.array(platform).min(1),
  }),
});

const text = readFileSync(join(checkout, "examples/krew/kube-node.yaml"), "utf8");
const machineOf = ({ selector }: z.infer<typeof platform>) =>
  `${selector.matchLabels.os}-${selector.matchLabels.arch}`;

describe("the manifest for krew", () => {
  it("is as krew wants it, and names the program that kubectl kube-node runs", () => {
    const { metadata, spec } = manifest.parse(parse(text));
    for (const one of spec.platforms) {
      const program = `kubectl-${metadata.name.replaceAll("-", "_")}${machineOf(one).startsWith("windows") ? ".exe" : ""}`;
      expect(one.bin).toBe(program);
      expect(one.files.map(({ from }) => from)).toContain(program);
      expect(one.uri).toMatch(
        new RegExp(`/kubectl-kube_node-${machineOf(one)}-${spec.version.slice(1)}\\.tgz$`),
      );
    }
  });

  it("is for the machines that ./build.sh kubectl makes it for, and for this version", () => {
    const { spec } = manifest.parse(parse(text));
    const script = readFileSync(join(checkout, "scripts/kubectl-plugin.sh"), "utf8");
    expect(spec.platforms.map(machineOf)).toEqual(
      /^kubectl_machines=\((.*)\)$/m.exec(script)?.[1]?.split(" "),
    );
    const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
      version: string;
    };
    expect(spec.version).toBe(`v${version}`);
  });

  it("of a release has the sums of its archives, and leaves out machines that have none", async () => {
    const sum = "ab".repeat(32);
    const input = `${sum}  kubectl-kube_node-darwin-arm64-0.2.0-g0.tgz\n${sum}  kube-node-ipam-linux-amd64-0.2.0-g0.tgz\n`;
    const script = join(checkout, "scripts/krew-manifest.ts");
    const { stdout } = await execa(process.execPath, [script, "0.2.0-g0"], { input });
    const { spec } = manifest.parse(parse(stdout));
    expect(spec).toMatchObject({
      version: "v0.2.0-g0",
      platforms: [{ sha256: sum, uri: expect.stringContaining("/v0.2.0-g0/") }],
    });
    expect(spec.platforms.map(machineOf)).toEqual(["darwin-arm64"]);
  });
});
