// node scripts/image-layout.ts FOLDER ARCHITECTURE VERSION SECONDS: makes an OCI layout of FOLDER, whose layers/ become blobs.
// Beside it stands the manifest.json that older `docker load`s look for.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const [folder = "", architecture = "", version = "", seconds = ""] = process.argv.slice(2);
const created = new Date(Number(seconds) * 1000).toISOString();
const release = version.replace(/-(g[0-9a-f]+|dirty).*$/, "");
const labels = {
  "org.opencontainers.image.title": "kube-node-ipam",
  "org.opencontainers.image.version": version,
  "org.opencontainers.image.licenses": "Apache-2.0 AND LGPL-2.1-or-later",
  "org.opencontainers.image.description":
    "The node agent of kube-node-ipam, the plugins that it installs, and the controller of pools",
};

type Blob = { mediaType: string; digest: string; size: number };
const oci = (kind: string): string => `application/vnd.oci.image.${kind}`;
const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const pathOf = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

function writeBlob(mediaType: string, content: object): Blob {
  const bytes = Buffer.from(JSON.stringify(content));
  const digest = digestOf(bytes);
  writeFileSync(join(folder, pathOf(digest)), bytes);
  return { mediaType, digest, size: bytes.length };
}

function takeLayer(name: string): Blob & { diffID: string } {
  const file = join(folder, "layers", name);
  const bytes = readFileSync(file);
  const digest = digestOf(bytes);
  renameSync(file, join(folder, pathOf(digest)));
  const diffID = digestOf(gunzipSync(bytes));
  return { mediaType: oci("layer.v1.tar+gzip"), digest, size: bytes.length, diffID };
}

mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
const layers = readdirSync(join(folder, "layers")).sort().map(takeLayer);
rmdirSync(join(folder, "layers"));

const config = writeBlob(oci("config.v1+json"), {
  created,
  architecture,
  os: "linux",
  config: {
    User: "0:0",
    Env: ["PATH=/usr/local/bin"],
    Entrypoint: ["/usr/local/bin/kube-node-agent"],
    WorkingDir: "/",
    Labels: labels,
  },
  rootfs: { type: "layers", diff_ids: layers.map(({ diffID }) => diffID) },
  history: layers.map(() => ({ created, created_by: "./build.sh image" })),
});
const manifest = writeBlob(oci("manifest.v1+json"), {
  schemaVersion: 2,
  mediaType: oci("manifest.v1+json"),
  config,
  layers: layers.map(({ diffID: _, ...layer }) => layer),
  annotations: { ...labels, "org.opencontainers.image.created": created },
});

// By its own version, and by the release that the manifests in examples/ name.
const names = [...new Set([version, release])].map((tag) => `kube-node-ipam:${tag}`);
const index = {
  schemaVersion: 2,
  mediaType: oci("index.v1+json"),
  manifests: names.map((name) => ({
    ...manifest,
    platform: { architecture, os: "linux" },
    annotations: {
      "io.containerd.image.name": `docker.io/library/${name}`,
      "org.opencontainers.image.ref.name": name.slice(name.indexOf(":") + 1),
    },
  })),
};
const forDocker = [
  { Config: pathOf(config.digest), RepoTags: names, Layers: layers.map(({ digest }) => pathOf(digest)) },
];
writeFileSync(join(folder, "index.json"), JSON.stringify(index));
writeFileSync(join(folder, "manifest.json"), JSON.stringify(forDocker));
writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
