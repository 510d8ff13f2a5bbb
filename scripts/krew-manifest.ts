// node scripts/krew-manifest.ts VERSION <SHA256SUMS: examples/krew/kube-node.yaml for this version and the archives that have sums.
import { readFileSync } from "node:fs";
import { parse, stringify } from "yaml";

type Platform = { uri: string; sha256: string };
type Manifest = { spec: { version: string; platforms: Platform[] } };

const [version = ""] = process.argv.slice(2);
const lines = readFileSync(0, "utf8").split("\n");
const sums = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));

const example = readFileSync(new URL("../examples/krew/kube-node.yaml", import.meta.url), "utf8");
const manifest = parse(example.replaceAll(/0\.1\.0\b/g, version)) as Manifest;
const platforms = manifest.spec.platforms.flatMap((platform) => {
  const sha256 = sums.get(platform.uri.slice(platform.uri.lastIndexOf("/") + 1));
  return sha256 === undefined ? [] : [{ ...platform, sha256 }];
});
process.stdout.write(stringify({ ...manifest, spec: { ...manifest.spec, platforms } }));
