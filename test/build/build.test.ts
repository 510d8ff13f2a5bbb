import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkout, whatLacks } from "../parts/tools.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";

const folder = mkdtempSync(join(tmpdir(), "build-"));
const own = process.arch === "arm64" ? "arm64" : "amd64";
const foreign = own === "arm64" ? "amd64" : "arm64";
const machinesOfKubectl = ["darwin-amd64", "darwin-arm64", "linux-amd64", "linux-arm64", "windows-amd64"];
const machines = { amd64: 62, arm64: 183 }; // e_machine of an ELF header

/** build.sh with an output folder of its own, so that nothing here is in another test's way. */
function build(args: string[], output = "output") {
  return execa(join(checkout, "build.sh"), args, {
    cwd: checkout,
    env: { KUBE_NODE_OUTPUT: join(folder, output), NO_PACKAGES: "1" },
    input: "",
    reject: false,
  });
}

function machineOf(path: string): number {
  return readFileSync(path).readUInt16LE(18);
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("./build.sh", () => {
  it("alone lists its commands, and does nothing else", async () => {
    const { exitCode, stdout } = await build([], "untouched");
    expect(exitCode).toBe(0);
    const listed = stdout.split("\n").flatMap((line) => /^ {2}(\w+) /.exec(line)?.[1] ?? []);
    expect([...new Set(listed)]).toEqual([
      "demo",
      "test",
      "bench",
      "check",
      "binaries",
      "kubectl",
      "install",
      "image",
      "release",
      "clean",
    ]);
    expect(existsSync(join(folder, "untouched"))).toBe(false);
  });

  it.each([
    [["tset"], 'unknown command "tset"'],
    [["install", "--destination=x"], 'unknown argument "--destination=x": only --dest=… is known here'],
    [["test", "--slow"], 'unknown argument "--slow"'],
    [
      ["test", "--quick", "test/real/cnitool.test.ts", "test/api"],
      "test/real/cnitool.test.ts: not in the quick tier",
    ],
    [["demo", "now"], 'unknown argument "now"'],
    [["binaries", "--arch=mips"], 'unknown architecture "mips": amd64 and arm64 are known'],
    [
      ["kubectl", "--machine=plan9-amd64"],
      'unknown machine "plan9-amd64": linux-amd64 linux-arm64 darwin-amd64',
    ],
  ])("%j: says what is wrong and ends with 1", async (args, words) => {
    const { exitCode, stderr } = await build(args);
    expect(stderr).toContain(words);
    expect(exitCode).toBe(1);
  });
});

describe("./build.sh binaries", () => {
  const output = join(folder, "output");

  it("compiles both programs for this machine, and says so when called by each name", async () => {
    expect(await build(["binaries"])).toMatchObject({ exitCode: 0 });
    for (const name of ["kube-node", "node-annotation"])
      expect((await execa(join(output, name), ["--version"])).stdout).toMatch(new RegExp(`^${name} \\S`));
    expect(machineOf(join(output, "kube-node"))).toBe(machines[own]);
  });

  it("--arch: compiles them for another, beside this machine's own", async () => {
    expect(await build(["binaries", `--arch=${foreign}`])).toMatchObject({ exitCode: 0 });
    for (const name of ["kube-node", "node-annotation"]) {
      expect(machineOf(join(output, foreign, name))).toBe(machines[foreign]);
      expect(machineOf(join(output, name))).toBe(machines[own]);
    }
  }, 120_000);

  it("compiles nothing anew where nothing has changed", async () => {
    const before = statSync(join(output, "kube-node")).ino;
    const { exitCode, stderr } = await build(["binaries"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(statSync(join(output, "kube-node")).ino).toBe(before);
  });
});

describe("./build.sh clean", () => {
  it("removes _output/, and nothing else", async () => {
    const copy = join(folder, "clean");
    mkdirSync(join(copy, "_output/amd64"), { recursive: true });
    mkdirSync(join(copy, "node_modules"));
    for (const name of ["build.sh", "scripts"])
      cpSync(join(checkout, name), join(copy, name), { recursive: true });
    const before = readdirSync(copy);
    for (const time of ["once", "again"]) {
      const { exitCode, stderr } = await execa(join(copy, "build.sh"), ["clean"], { cwd: folder });
      expect([exitCode, stderr], time).toEqual([0, "build.sh: removed _output/; node_modules/ stays"]);
      expect(readdirSync(copy)).toEqual(before.filter((name) => name !== "_output"));
    }
    expect(existsSync(folder)).toBe(true);
  });
});

describe("./build.sh install", () => {
  const destination = join(folder, "plugins");

  it("puts one executable under both names, and nothing else", async () => {
    expect(await build(["install", `--dest=${destination}`])).toMatchObject({ exitCode: 0 });
    expect(readdirSync(destination).sort()).toEqual(["kube-node", "node-annotation"]);
    const [one, other] = ["kube-node", "node-annotation"].map((name) => statSync(join(destination, name)));
    expect(one?.mode).toBe(0o100755);
    expect(other?.ino).toBe(one?.ino);
    const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
      version: string;
    };
    expect((await execa(join(destination, "kube-node"), ["--version"])).stdout).toContain(version);
  });

  it("replaces what is there in one step: a running plugin keeps its file", async () => {
    const names = ["kube-node", "node-annotation"].map((name) => join(destination, name));
    const before = names.map((name) => statSync(name).ino);
    expect(await build(["install", `--dest=${destination}`])).toMatchObject({ exitCode: 0 });
    for (const [index, name] of names.entries()) expect(statSync(name).ino).not.toBe(before[index]);
    expect(readdirSync(destination)).toHaveLength(2);
  });

  it("takes a folder as seen from where it is called", async () => {
    const { exitCode } = await execa(join(checkout, "build.sh"), ["install", "--dest=here/bin"], {
      cwd: folder,
      env: { KUBE_NODE_OUTPUT: join(folder, "output") },
    });
    expect(exitCode).toBe(0);
    expect(readdirSync(join(folder, "here/bin"))).toEqual(["kube-node", "node-annotation"]);
  });

  const lack = whatLacks(privateMounts());
  it.skipIf(lack.some)(`without --dest: into /opt/cni/bin${lack.words}`, async () => {
    const optCni = join(folder, "opt-cni");
    mkdirSync(optCni);
    const [file, ...words] = withMounts({ "/opt/cni": optCni }, [join(checkout, "build.sh"), "install"]);
    const env = { KUBE_NODE_OUTPUT: join(folder, "output") };
    const { exitCode, stderr } = await execa(file as string, words, { cwd: folder, env, reject: false });
    expect(stderr).toMatch(/^build\.sh: installed kube-node node-annotation \S+ into \/opt\/cni\/bin$/m);
    expect(exitCode).toBe(0);
    expect(readdirSync(join(optCni, "bin")).sort()).toEqual(["kube-node", "node-annotation"]);
  });

  it("says so where the folder can't be made", async () => {
    writeFileSync(join(folder, "file"), "");
    const { exitCode, stderr } = await build(["install", `--dest=${folder}/file/bin`]);
    expect(stderr).toContain(`${folder}/file/bin can't be made`);
    expect(exitCode).toBe(1);
  });
});

describe("./build.sh release", () => {
  const archives = join(folder, "output/release");
  beforeAll(async () => {
    expect(await build(["release"])).toMatchObject({ exitCode: 0 });
  }, 300_000);

  function archive(architecture: string): string {
    const name = readdirSync(archives).find((name) =>
      name.startsWith(`kube-node-ipam-linux-${architecture}-`),
    );
    return join(archives, name ?? `no archive for ${architecture}`);
  }

  it("makes an archive for each architecture, and of kubectl's plugin for each machine, with sums that hold", async () => {
    const names = readdirSync(archives).sort();
    expect(names).toEqual([
      "SHA256SUMS",
      expect.stringMatching(/^kube-node-ipam-\d.*\.cdx\.json$/),
      expect.stringMatching(/^kube-node-ipam-linux-amd64-.*\.tgz$/),
      expect.stringMatching(/^kube-node-ipam-linux-arm64-.*\.tgz$/),
      "kube-node.yaml",
      ...machinesOfKubectl.map((machine) =>
        expect.stringMatching(new RegExp(`^kubectl-kube_node-${machine}-.*\\.tgz$`)),
      ),
    ]);
    expect(
      (await execa("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: archives })).stdout.match(
        /: OK$/gm,
      ),
    ).toHaveLength(8);
  });

  it("has a manifest for krew with the sums of its archives", () => {
    const manifest = readFileSync(join(archives, "kube-node.yaml"), "utf8");
    const sums = readFileSync(join(archives, "SHA256SUMS"), "utf8").trim().split("\n");
    const ofKubectl = sums.filter((line) => line.includes("  kubectl-kube_node-"));
    expect(ofKubectl).toHaveLength(machinesOfKubectl.length);
    for (const [sum = "", file = ""] of ofKubectl.map((line) => line.split("  ")))
      expect(manifest).toMatch(new RegExp(`/${file.replaceAll(".", "\\.")}\\n +sha256: ${sum}\\n`));
  });

  it("of kubectl's plugin: the plugin, what kubectl asks for completions, and the licence", async () => {
    const files = await Promise.all(
      machinesOfKubectl.map(async (machine) => {
        const name =
          readdirSync(archives).find((one) => one.startsWith(`kubectl-kube_node-${machine}-`)) ?? "";
        const { stdout } = await execa("tar", ["-tzf", join(archives, name)]);
        return [machine, stdout.split("\n")];
      }),
    );
    const usual = ["LICENSE", "kubectl-kube_node", "kubectl_complete-kube_node"];
    const windows = ["LICENSE", "kubectl-kube_node.exe", "kubectl_complete-kube_node.cmd"];
    expect(files).toEqual(
      machinesOfKubectl.map((machine) => [machine, machine.startsWith("windows") ? windows : usual]),
    );
  });

  it.each(["amd64", "arm64"] as const)(
    "%s: has its files at the root, as the CNI plugins' releases, and is for that machine",
    async (architecture) => {
      const target = join(folder, `unpacked-${architecture}`);
      mkdirSync(target);
      await execa("tar", ["-xzf", archive(architecture), "-C", target]);
      expect(readdirSync(target).sort()).toEqual(["LICENSE", "README.md", "kube-node", "node-annotation"]);
      const [one, other] = ["kube-node", "node-annotation"].map((name) => statSync(join(target, name)));
      expect(one?.mode).toBe(0o100755);
      expect(other?.ino).toBe(one?.ino);
      expect(machineOf(join(target, "kube-node"))).toBe(machines[architecture]);
      if (architecture !== foreign)
        expect((await execa(join(target, "kube-node"), ["--version"])).exitCode).toBe(0);
    },
  );

  it("gives the same bytes when it is made anew in another folder", async () => {
    expect(await build(["release", `--arch=${own}`], "again")).toMatchObject({ exitCode: 0 });
    const again = readFileSync(join(folder, "again/release/SHA256SUMS"), "utf8").trim().split("\n");
    expect(again).toHaveLength(own === "amd64" ? 5 : 4);
    for (const line of again) expect(readFileSync(join(archives, "SHA256SUMS"), "utf8")).toContain(line);
  }, 300_000);

  it("lists its materials: every package of the product and the runtime, with the hashes of the lock file", () => {
    const bill = readBill(archives);
    const lock = readJson(join(checkout, "package-lock.json")) as {
      packages: Record<string, { version: string; integrity: string; dev?: boolean }>;
    };
    const { dependencies } = readJson(join(checkout, "package.json")) as { dependencies: object };
    const shipped = Object.entries(lock.packages).filter(
      ([path, { dev }]) =>
        path !== "" && (!dev || /\/@oven\/bun-(?:(?:linux|darwin)-(?:x64|aarch64)|windows-x64)$/.test(path)),
    );
    const hashOf = (integrity: string) =>
      Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
    const listed = bill.components.map(({ name, version, hashes }) => [name, version, hashes[0]?.content]);
    expect(listed.sort()).toEqual(
      shipped
        .map(([path, { version, integrity }]) => [
          path.split("node_modules/").at(-1),
          version,
          hashOf(integrity),
        ])
        .sort(),
    );
    expect(listed.map(([name]) => name)).toEqual(expect.arrayContaining(Object.keys(dependencies)));
  });

  it("lists its materials as CycloneDX: each with its licence and address, references that lead somewhere, nothing of this machine", () => {
    const bill = readBill(archives);
    expect(bill).toMatchObject({
      bomFormat: "CycloneDX",
      specVersion: "1.5",
      version: 1,
      serialNumber: expect.stringMatching(
        /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      metadata: {
        component: {
          type: "application",
          name: "kube-node-ipam",
          licenses: [{ license: { id: "Apache-2.0" } }],
        },
      },
    });
    for (const { name, version, purl, licenses, scope } of bill.components) {
      expect(purl).toBe(`pkg:npm/${name.replace("@", "%40")}@${version}`);
      expect([licenses?.length, scope]).toEqual([1, "required"]);
    }
    const refs = [bill.metadata.component["bom-ref"], ...bill.components.map((one) => one["bom-ref"])];
    expect(new Set(refs).size).toBe(refs.length);
    expect(bill.dependencies.map(({ ref }) => ref).sort()).toEqual(refs.sort());
    for (const { dependsOn } of bill.dependencies) expect(refs).toEqual(expect.arrayContaining(dependsOn));
    const text = JSON.stringify(bill);
    expect([
      text.includes(checkout),
      text.includes("localhost"),
      /https?:\/\/(?!cyclonedx\.org)/.test(text),
    ]).toEqual([false, false, false]);
  });
});

type Bill = {
  metadata: { component: { "bom-ref": string } };
  components: {
    "bom-ref": string;
    name: string;
    version: string;
    purl: string;
    scope: string;
    licenses?: object[];
    hashes: { content: string }[];
  }[];
  dependencies: { ref: string; dependsOn: string[] }[];
};

function readBill(archives: string): Bill {
  const name = readdirSync(archives).find((name) => name.endsWith(".cdx.json"));
  return readJson(join(archives, name ?? "no bill")) as Bill;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

describe("set-up", () => {
  const wanted = {
    "": {},
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "2.0.0", optional: true },
  };
  const match = async (there: object | undefined) => {
    const place = mkdtempSync(join(folder, "modules-"));
    mkdirSync(join(place, "node_modules"));
    writeFileSync(join(place, "package-lock.json"), JSON.stringify({ packages: wanted }));
    if (there)
      writeFileSync(join(place, "node_modules/.package-lock.json"), JSON.stringify({ packages: there }));
    const script = 'root=$PWD; . "$1/scripts/set-up.sh"; dependencies_match';
    return (
      (await execa("bash", ["-c", script, "bash", checkout], { cwd: place, reject: false })).exitCode === 0
    );
  };

  it("is done where node_modules is what the lock file says, an optional package of another machine aside", async () => {
    expect(
      await match({ "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "2.0.0" } }),
    ).toBe(true);
    expect(await match({ "node_modules/a": { version: "1.0.0" } })).toBe(true);
  });

  it("is done anew where there is none, another version, or one too many", async () => {
    expect(await match(undefined)).toBe(false);
    expect(await match({ "node_modules/a": { version: "1.0.1" } })).toBe(false);
    expect(
      await match({ "node_modules/a": { version: "1.0.0" }, "node_modules/c": { version: "1.0.0" } }),
    ).toBe(false);
  });
});
