import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkout, firstProgram, inPath, root, whatLacks } from "../parts/tools.ts";

const folder = mkdtempSync(join(tmpdir(), "image-"));
const own = process.arch === "arm64" ? "arm64" : "amd64";
const foreign = own === "arm64" ? "amd64" : "arm64";
const machines = { amd64: 62, arm64: 183 }; // e_machine of an ELF header
const loaders = { amd64: "lib64/ld-linux-x86-64.so.2", arm64: "lib/ld-linux-aarch64.so.1" };
const lackOfApt = whatLacks(firstProgram(inPath("apt-get"), "apt-get"));
const lackOfRoot = whatLacks(root());
const minutes = 60_000;
/** With what every runtime gives a container; the mounts end with the process. */
const likeRuntime = `cd "$0" && mkdir -p proc dev && mount -t proc proc proc && mount --rbind /dev dev
program=$1; shift; exec chroot . "/usr/local/bin/$program" "$@"`;

type Blob = { digest: string; size: number; mediaType: string };
type Image = {
  root: string;
  config: { architecture: string; config: { Entrypoint: string[]; User: string } };
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** build.sh with the output folder of this checkout, whose executable is there already; gives the archive's path. */
async function build(architecture: string): Promise<string> {
  await execa(join(checkout, "build.sh"), ["image", `--arch=${architecture}`], { env: { NO_PACKAGES: "1" } });
  return join(
    process.env["KUBE_NODE_OUTPUT"] ?? join(checkout, "_output"),
    `kube-node-ipam-${architecture}.tar`,
  );
}

/** Follows the archive as a runtime does, checks each digest on the way, and unpacks the layers. */
async function unpack(archive: string, name: string): Promise<Image> {
  const layout = join(folder, `${name}-layout`);
  const root = join(folder, `${name}-root`);
  for (const path of [layout, root]) mkdirSync(path);
  await execa("tar", ["-xf", archive, "-C", layout]);
  const blob = ({ digest, size }: Blob): Buffer => {
    const bytes = readFileSync(join(layout, "blobs", digest.replace(":", "/")));
    expect(bytes).toHaveLength(size);
    expect(digestOf(bytes)).toBe(digest);
    return bytes;
  };
  const parse = <T>(bytes: Buffer) => JSON.parse(bytes.toString()) as T;
  const read = <T>(file: string) => parse<T>(readFileSync(join(layout, file)));
  expect(read("oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
  const { manifests } = read<{ manifests: [Blob, ...Blob[]] }>("index.json");
  expect(new Set(manifests.map(({ digest }) => digest)).size).toBe(1);
  const manifest = parse<{ config: Blob; layers: Blob[] }>(blob(manifests[0]));
  const config = parse<Image["config"] & { rootfs: { diff_ids: string[] } }>(blob(manifest.config));
  const layers = manifest.layers.map(blob);
  expect(config.rootfs.diff_ids).toEqual(layers.map((layer) => digestOf(gunzipSync(layer))));
  for (const input of layers) await execa("tar", ["-xzf", "-", "-C", root], { input });
  expect(read("manifest.json")).toMatchObject([
    {
      Config: `blobs/${manifest.config.digest.replace(":", "/")}`,
      RepoTags: expect.arrayContaining([expect.stringMatching(/^kube-node-ipam:\d/)]),
    },
  ]);
  return { root, config };
}

const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

describe("./build.sh image", () => {
  let archive = "";
  let image: Image;
  beforeAll(async () => {
    archive = await build(own);
    image = await unpack(archive, own);
  }, 10 * minutes);

  it("holds one executable under its names, a C library, and nothing else", async () => {
    const { stdout } = await execa("find", [image.root, "-type", "f", "-printf", "%P %i\n"]);
    const files = new Map(stdout.split("\n").map((line) => line.split(" ") as [string, string]));
    const programs = ["kube-node", "kube-node-agent", "kube-node-controller", "node-annotation"].map(
      (name) => `usr/local/bin/${name}`,
    );
    expect(new Set(programs.map((name) => files.get(name))).size).toBe(1);
    expect(files.has(programs[0] as string)).toBe(true);
    const others = [...files.keys()].filter((name) => !programs.includes(name));
    expect(others.length).toBeGreaterThan(1);
    for (const name of others)
      expect(name).toMatch(/^(usr\/)?lib(64)?\/([\w-]+\/)?(ld-linux-|lib(c|m|dl|pthread)\.so)/);
    expect(image.config).toMatchObject({
      architecture: own,
      config: { Entrypoint: ["/usr/local/bin/kube-node-agent"], User: "0:0" },
    });
  });

  it("is small: under 64 MiB to fetch", () => expect(statSync(archive).size).toBeLessThan(64 << 20));

  it.skipIf(lackOfRoot.some)(`runs by what it holds${lackOfRoot.words}`, async () => {
    for (const words of [
      "kube-node-agent version",
      "kube-node-controller --version",
      "kube-node --version",
    ]) {
      const { stdout } = await execa("unshare", [
        "--mount",
        "sh",
        "-c",
        likeRuntime,
        image.root,
        ...words.split(" "),
      ]);
      expect(stdout).toMatch(/\d+\.\d+\.\d+/);
    }
  });

  it(
    "is the same bytes again",
    async () => {
      const before = digestOf(readFileSync(archive));
      expect(digestOf(readFileSync(await build(own)))).toBe(before);
    },
    10 * minutes,
  );

  it.skipIf(lackOfApt.some)(
    `for ${foreign} holds what is for ${foreign}${lackOfApt.words}`,
    async () => {
      const { root, config } = await unpack(await build(foreign), foreign);
      expect(config.architecture).toBe(foreign);
      const { stdout } = await execa("find", [root, "-type", "f"]);
      const files = stdout.split("\n");
      expect(files.length).toBeGreaterThan(4);
      for (const file of files) expect(readFileSync(file).readUInt16LE(18), file).toBe(machines[foreign]);
      expect(existsSync(join(root, loaders[foreign]))).toBe(true);
    },
    10 * minutes,
  );
});
