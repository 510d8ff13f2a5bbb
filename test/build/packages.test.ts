// scripts/packages.sh with package managers that only write down what they are asked: nothing is installed here.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkout, firstProgram, inPath, whatLacks } from "../parts/tools.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";

const lack = whatLacks(privateMounts());
const missingPlugins =
  /^build\.sh: host-local and the main CNI plugins are missing: install the package containernetworking-plugins/;

/** A machine with a few programs and no CNI plugins; `programs` are scripts, by name. */
function makeMachine(programs: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "packages-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const put = (path: string, script: string) => {
    writeFileSync(path, script);
    chmodSync(path, 0o755);
  };
  for (const program of ["bash", "sh", "env", "true", "touch", "chmod"])
    symlinkSync(firstProgram(inPath(program), program).path as string, join(bin, program));
  put(join(bin, "id"), "#!/bin/sh\necho 0\n");
  for (const [name, script] of Object.entries(programs)) put(join(bin, name), `#!/bin/sh\n${script}\n`);
  const places = ["/opt/cni/bin", "/usr/lib/cni", ...["/usr/libexec/cni"].filter((path) => existsSync(path))];
  const folders = Object.fromEntries(
    places.map((place) => [place, join(folder, place.replaceAll("/", "-"))]),
  );
  for (const made of [...Object.values(folders), join(folder, "given")]) mkdirSync(made);

  return {
    given: join(folder, "given"),
    /** Puts programs into one of the usual folders, or into `given`. */
    putPlugins(place: string, ...names: string[]) {
      for (const name of names) put(join(folders[place] ?? place, name), "#!/bin/sh\n");
    },
    /** Runs words of packages.sh there; `asked` is what the package manager was told, a line each. */
    run(words: string, env: Record<string, string> = {}) {
      const script = `set -euo pipefail; say() { echo "build.sh: $*" >&2; }; . '${checkout}/scripts/packages.sh'; ${words}`;
      const variables = Object.entries({ PATH: bin, BIN: bin, LOG: join(folder, "log"), ...env });
      const set = variables.map(([name, value]) => `${name}=${value}`);
      const [file, ...rest] = withMounts(folders, [
        join(bin, "env"),
        "-i",
        ...set,
        "bash",
        "--norc",
        "-c",
        script,
      ]);
      const { exitCode, stdout, stderr } = execaSync(file as string, rest, { reject: false });
      const log = existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8") : "";
      return {
        exitCode,
        stdout,
        said: stderr.split("\n").filter(Boolean),
        asked: log.split("\n").filter(Boolean),
      };
    },
  };
}

/** Writes down its arguments, and that sudo came before them. */
const log = `echo "\${0##*/} $*" >>"$LOG"`;
/** Installs what its last words name, where that is a program. */
const aptGet = `${log}; case "$*" in *install*) touch "$BIN/ip" && chmod +x "$BIN/ip" ;; esac`;
const sudo = `${log}; shift; exec "$@"`;

describe.skipIf(lack.some)(`packages.sh${lack.words}`, () => {
  it("looks in $CNI_PATH, /opt/cni/bin and /usr/lib/cni, in that order, for both host-local and bridge", () => {
    const machine = makeMachine();
    const find = () => machine.run("plugin_folder", { CNI_PATH: `/none:${machine.given}` });
    expect(find()).toMatchObject({ exitCode: 1, stdout: "" });
    machine.putPlugins(machine.given, "host-local");
    expect(find()).toMatchObject({ exitCode: 1, stdout: "" });
    for (const [place, path] of [
      ["/usr/lib/cni", "/usr/lib/cni"],
      ["/opt/cni/bin", "/opt/cni/bin"],
      [machine.given, machine.given],
    ] as const) {
      machine.putPlugins(place, "host-local", "bridge");
      expect(find()).toMatchObject({ exitCode: 0, stdout: path });
    }
    expect(machine.run("plugin_folder").stdout).toBe("/opt/cni/bin");
  });

  it("installs nothing, and says nothing, where all is there", () => {
    const machine = makeMachine({ ip: "", "apt-get": aptGet });
    machine.putPlugins("/usr/lib/cni", "host-local", "bridge");
    const none = { exitCode: 0, said: [], asked: [] };
    expect(machine.run("install_missing containernetworking-plugins iproute2")).toMatchObject(none);
  });

  it("as root installs what is missing, that alone, and says what is missing all the same", () => {
    const machine = makeMachine({ strace: "", "apt-get": aptGet });
    const { exitCode, said, asked } = machine.run(
      "install_missing containernetworking-plugins iproute2 strace",
    );
    expect(exitCode).toBe(0);
    expect(asked).toEqual([
      "apt-get update -qq",
      expect.stringMatching(
        /^apt-get install -y .*--no-install-recommends .* containernetworking-plugins iproute2$/,
      ),
    ]);
    expect(said).toEqual([
      "build.sh: installing containernetworking-plugins iproute2 with apt-get",
      expect.stringMatching(missingPlugins),
    ]);
  });

  it("goes through sudo where that asks for no password", () => {
    const machine = makeMachine({ id: "echo 1000", sudo, "apt-get": log });
    const { asked } = machine.run("install_missing iproute2");
    expect(asked.filter((line) => line.startsWith("apt-get"))).toEqual([
      "apt-get update -qq",
      expect.stringMatching(/^apt-get install .* iproute2$/),
    ]);
    expect(asked.filter((line) => line.startsWith("sudo"))).toEqual([
      "sudo -n true",
      "sudo -n apt-get update -qq",
      expect.stringMatching(/^sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install /),
    ]);
  });

  it.each([
    ["who may not", { id: "echo 1000", sudo: "exit 1", "apt-get": log }, {}],
    ["who has no sudo", { id: "echo 1000", "apt-get": log }, {}],
    ["who doesn't want it: NO_PACKAGES=1", { "apt-get": log }, { NO_PACKAGES: "1" }],
    ["whose system has neither apt-get nor dnf", {}, {}],
  ])("installs nothing for somebody %s, and says how to get it", (_, programs, env) => {
    const machine = makeMachine(programs);
    const words = "install_missing containernetworking-plugins iproute2 iputils-ping strace";
    expect(machine.run(words, env)).toEqual({
      exitCode: 0,
      stdout: "",
      asked: [],
      said: [
        expect.stringMatching(missingPlugins),
        "build.sh: the package iproute2 is missing. What needs it is skipped.",
        "build.sh: the package iputils-ping is missing: reachability is tried with TCP instead.",
        "build.sh: the package strace is missing. What needs it is skipped.",
      ],
    });
  });

  it("goes on where the package manager fails", () => {
    const machine = makeMachine({ "apt-get": `${log}; exit 100` });
    const { exitCode, said } = machine.run("install_missing strace");
    expect(exitCode).toBe(0);
    expect(said.at(-1)).toBe("build.sh: the package strace is missing. What needs it is skipped.");
  });

  it("knows the names that dnf has", () => {
    const machine = makeMachine({ dnf: log });
    const { asked } = machine.run("install_missing containernetworking-plugins iproute2 iputils-ping");
    expect(asked).toEqual(["dnf install -y -q containernetworking-plugins iproute iputils"]);
  });
});
