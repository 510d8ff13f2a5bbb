import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Finding } from "../../src/cli/finding.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { executables, type PluginAnswer } from "../parts/plugin.ts";
import { firstProgram, hostLocals, inPath, root, whatLacks } from "../parts/tools.ts";
import { installPrograms } from "../real/parts/install.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { privateMounts } from "../real/parts/private-mounts.ts";
import { describeSubjects, onlyCompiled } from "../real/parts/subjects.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { makePerson } from "./person.ts";

const lackMounts = whatLacks(privateMounts(), hostLocals().length > 0 ? {} : { missing: "host-local" });

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

type Found = Finding & { network?: string };

function findings({ json }: PluginAnswer): Found[] {
  return (json as { findings: Found[] }).findings;
}

/** The findings of a check, the machine's own included. */
function about(answer: PluginAnswer, check: string): Found[] {
  return findings(answer).filter((finding) => finding.check === check);
}

describeSubjects("kube-node doctor", (subject) => {
  const itCompiled = onlyCompiled(subject);
  const make = async (
    spec: Parameters<typeof makeWorker>[2] = { podCIDRs: ["10.1.2.0/29", "fd00::/64"] },
  ) => {
    const worker = await makeWorker(server, subject, spec);
    installPrograms(subject, worker.bin);
    const person = makePerson(worker, subject.executable);
    const examine = (ipam: object = {}) => person.run("doctor", "-o", "json", person.write({ ...ipam }));
    return { worker, person, examine };
  };

  it("finds nothing wrong where nothing is, and says what it looked at", async () => {
    const { worker, person } = await make();
    const conf = person.write();
    const answer = await person.run("doctor", "-o", "json", conf);
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    const wrong = findings(answer).filter(({ state, check }) => state !== "ok" && check !== "namespaces");
    expect(wrong).toEqual([]);
    const says = Object.fromEntries(findings(answer).map(({ check, says }) => [check, says]));
    expect(says).toMatchObject({
      "machine-id": expect.stringMatching(/\w/),
      agent: "no agent runs here: every ADD asks the API server",
      configuration: conf,
      "main plugin": expect.stringMatching(/\/bridge, .*CNI 0\.1\.0 to 1\.\d\.0$/),
      "kube-node": expect.stringMatching(/\/bin\/kube-node, version \S/),
      delegate: expect.stringMatching(/\/host-local, .*CNI 0\.1\.0 to 1\.\d\.0$/),
      kubeconfig: `${worker.kubeconfig}, context test: ${server.url}`,
      "own Node": expect.stringMatching(new RegExp(`^${worker.name}, read in \\d+ ms$`)),
      "list of Nodes": "may not be read, and needn't",
      clock: "as the API server's",
      ranges: "10.1.2.0/29, fd00::/64 (spec.podCIDRs)",
      leases: `${worker.dataDir}/net1 (to be made in ${worker.folder})`,
      state: `${worker.dataDir}/.kube-node/net1 (to be made in ${worker.folder})`,
    });
    expect(about(answer, "room").map(({ says }) => says)).toEqual([
      "0 of 5 addresses of 10.1.2.0/29 are used",
      "0 of 2^64 addresses of fd00::/64 are used",
    ]);
    const table = await person.run("doctor", conf);
    expect(table).toMatchObject({ exitCode: 0, stderr: "" });
    expect(table.stdout).toMatch(/^STATE +NETWORK +CHECK +FOUND\n/);
    expect(table.stdout).toMatch(/^ok +net1 +list of Nodes +may not be read, and needn't$/m);
  });

  it("looks at every configuration of the runtime's that is for us", async () => {
    const { worker, person } = await make();
    const folder = join(worker.folder, "net.d");
    mkdirSync(folder);
    const empty = await person.run("doctor", "-o", "json", `--conf-dir=${folder}`);
    expect(about(empty, "configuration")).toMatchObject([
      { state: "warn", says: expect.stringContaining(folder) },
    ]);
    const list = { name: "net2", cniVersion: "1.0.0", plugins: [{ type: "bridge", ipam: worker.ipam() }] };
    person.write({}, list, "net.d/20.conflist");
    person.write({}, { name: "lo", type: "loopback" }, "net.d/99-loopback.conf");
    person.write({ anotation: "x" }, undefined, "net.d/10.conf");
    writeFileSync(join(folder, "30-broken.conf"), "{");
    const answer = await person.run("doctor", "-o", "json", `--conf-dir=${folder}`);
    expect(answer.exitCode).toBe(1);
    expect(about(answer, "configuration").map(({ state, network, says }) => [state, network, says])).toEqual([
      ["ok", "net1", `${folder}/10.conf`],
      ["warn", "net1", expect.stringContaining('goes to the delegate (did you mean "annotation"?)')],
      ["ok", "net2", `${folder}/20.conflist`],
      ["fail", undefined, `${folder}/30-broken.conf: network configuration is not JSON`],
    ]);
  });

  itCompiled("programs that aren't there, or are others than they seem", async () => {
    const { worker, person, examine } = await make();
    const lacking = await person.runWith(
      { env: { CNI_PATH: worker.folder } },
      "doctor",
      "-o",
      "json",
      person.write(),
    );
    expect(lacking.exitCode).toBe(1);
    for (const [check, program] of [
      ["main plugin", "bridge"],
      ["kube-node", ""],
      ["delegate", "host-local"],
    ] as const)
      expect(about(lacking, check)).toMatchObject([
        { state: "fail", says: expect.stringContaining(program), remedy: expect.stringMatching(/./) },
      ]);
    worker.putProgram("mute", "#!/bin/sh\ncat >/dev/null\n");
    expect(about(await examine({ nextipam: "mute" }), "delegate")).toMatchObject([
      { state: "fail", says: expect.stringContaining("doesn't answer to CNI_COMMAND=VERSION") },
    ]);
    const old = '{"cniVersion": "0.2.0", "supportedVersions": ["0.1.0", "0.2.0"]}';
    worker.putProgram("old", `#!/bin/sh\ncat >/dev/null\necho '${old}'\n`);
    expect(about(await examine({ nextipam: "old" }), "delegate")).toMatchObject([
      { state: "ok", says: expect.stringMatching(/CNI 0\.1\.0 to 0\.2\.0; it is spoken to in 0\.2\.0$/) },
    ]);
    worker.putProgram("kube-node-other", "");
    const other = join(worker.folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "kube-node"), "#!/bin/sh\necho kube-node 0.0.1\n", { mode: 0o755 });
    const env = { CNI_PATH: `${other}:${worker.path}` };
    const mixed = await person.runWith({ env }, "doctor", "-o", "json", person.write());
    expect(about(mixed, "kube-node")).toMatchObject([
      { state: "warn", says: expect.stringMatching(/is version 0\.0\.1, this is /) },
    ]);
    expect(mixed.exitCode).toBe(0);
  });

  itCompiled("credentials and the API server", async () => {
    const { worker, examine } = await make();
    expect(about(await examine({ kubeconfig: "/none" }), "kubeconfig")).toMatchObject([
      { state: "fail", says: expect.stringContaining("/none is absent"), remedy: "make it, or name another" },
    ]);
    const nobody = await examine({ nodeName: "none" });
    expect(about(nobody, "own Node")).toMatchObject([{ state: "fail" }]);
    writeFileSync(
      worker.kubeconfig,
      await server.kubeconfigFor({ kind: "kubelet", node: worker.name, expired: true }),
    );
    const expired = await examine();
    expect(about(expired, "kubeconfig")).toMatchObject([
      { state: "fail", says: expect.stringContaining("has run out") },
    ]);
    expect(about(expired, "own Node")).toMatchObject([{ state: "fail" }]);
    const all = { kind: "serviceAccount", namespace: "default", name: "all", mayRead: "all" } as const;
    writeFileSync(worker.kubeconfig, await server.kubeconfigFor(all));
    expect(about(await examine({ nodeName: worker.name }), "list of Nodes")).toMatchObject([
      { state: "ok", says: "may be read; the own Node would do" },
    ]);
  });

  itCompiled("a dataDir that lies elsewhere for each working folder", async () => {
    const { examine } = await make();
    const answer = await examine({ dataDir: "rel/dir" });
    expect(about(answer, "dataDir")).toEqual([
      {
        check: "dataDir",
        network: "net1",
        state: "warn",
        says: "ipam.dataDir rel/dir is relative to the runtime's working folder: in another one the same addresses are given again",
        remedy: "write an absolute path",
      },
    ]);
    expect(answer.exitCode).toBe(0);
    expect(about(await examine(), "dataDir")).toEqual([]);
  });

  itCompiled("an outage: what is known stands in, or nothing does", async () => {
    const { worker, examine } = await make();
    await worker.add();
    await beginOutage(server);
    const known = await examine({ cacheTTL: 0 });
    expect(known.exitCode).toBe(1);
    expect(about(known, "own Node")).toMatchObject([
      { state: "fail", says: expect.stringContaining("refused the connection") },
    ]);
    expect(about(known, "ranges")).toMatchObject([
      {
        state: "warn",
        says: expect.stringMatching(/^10\.1\.2\.0\/29, fd00::\/64 \(spec\.podCIDRs\), as known \d+s ago/),
      },
    ]);
    const unknown = await examine({ dataDir: join(worker.folder, "other"), timeout: 6 });
    expect(about(unknown, "ranges")).toMatchObject([
      { state: "fail", remedy: expect.stringContaining("see above") },
    ]);
  });

  itCompiled("a clock that goes otherwise than the API server's", async () => {
    const { examine } = await make();
    const writeHead = ServerResponse.prototype.writeHead;
    let seconds = 0;
    const spy = vi.spyOn(ServerResponse.prototype, "writeHead").mockImplementation(function (
      this: ServerResponse,
      ...args
    ) {
      this.setHeader("date", new Date(Date.now() + seconds * 1000).toUTCString());
      return Reflect.apply(writeHead, this, args) as ServerResponse;
    });
    onTestFinished(() => spy.mockRestore());
    for (const [ahead, state, says] of [
      [0, "ok", /^as the API server's$/],
      [60, "warn", /^this machine is (59|6[01])s behind the API server$/],
      [-7200, "fail", /^this machine is (2h|119m) ahead of the API server$/],
    ] as const) {
      seconds = ahead;
      const answer = await examine();
      expect(about(answer, "clock")).toMatchObject([{ state, says: expect.stringMatching(says) }]);
      expect(answer.exitCode).toBe(state === "fail" ? 1 : 0);
    }
  });

  itCompiled("ranges: none, nearly full, full, or none for most pods", async () => {
    const { worker, examine } = await make({ podCIDRs: ["10.1.2.0/28"] });
    expect(about(await examine({ annotation: "none" }), "ranges")).toMatchObject([
      { state: "fail", remedy: expect.stringMatching(/^kubectl annotate node/) },
    ]);
    for (let count = 1; count <= 12; count++) await worker.add({ id: `c${count}` });
    const nearly = await examine();
    expect(nearly.exitCode).toBe(0);
    expect(about(nearly, "room")).toMatchObject([
      { state: "warn", says: "12 of 13 addresses of 10.1.2.0/28 are used" },
    ]);
    await worker.add({ id: "c13" });
    const full = await examine();
    expect(full.exitCode).toBe(1);
    expect(about(full, "room")).toMatchObject([
      { state: "fail", remedy: expect.stringContaining("kube-node audit") },
    ]);
    expect(about(await examine({ "ipv4-namespaces": ["db"] }), "namespaces with IPv4")).toMatchObject([
      { state: "warn", says: "only pods of db can start: there is no IPv6 range for the others" },
    ]);
  });
});

const [hostLocal] = hostLocals();
const lackUser = whatLacks(
  root(),
  firstProgram(inPath("setpriv"), "setpriv (package util-linux)"),
  hostLocal ? {} : { missing: "host-local" },
);

describe.skipIf(lackUser.some)(`kube-node's commands for a user without rights${lackUser.words}`, () => {
  it("say what may not be read, and who may", async () => {
    const [executable] = executables();
    if (!executable || !hostLocal) throw new Error("nothing to run");
    const worker = await makeWorker(
      server,
      { label: "", executable, hostLocal },
      { podCIDRs: ["10.1.2.0/24"] },
    );
    await worker.add();
    for (const path of [dirname(worker.folder), worker.folder, worker.kubeconfig]) chmodSync(path, 0o755);
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    const command = () => [...nobody, ...executable.command("kube-node")];
    const person = makePerson(worker, { label: "", command });
    const conf = person.write();
    const answer = await person.run("doctor", "-o", "json", conf);
    expect(answer.exitCode).toBe(1);
    expect(about(answer, "namespaces")).toMatchObject([
      { state: "warn", says: expect.stringMatching(/^no network namespace can be made: .*not permitted/) },
    ]);
    expect(about(answer, "configuration")).toMatchObject([
      { state: "fail", says: expect.stringContaining(".kube-node"), remedy: "run it as root" },
    ]);
    const ranges = await person.run("ranges", conf);
    expect(ranges).toMatchObject({ exitCode: 1, stdout: "" });
    expect(ranges.stderr).toMatch(/^kube-node: EACCES: .*: run it as root\n$/);
  });
});

describe.skipIf(lackMounts.some)(`kube-node doctor on folders${lackMounts.words}`, () => {
  it.each([
    [
      "read-only",
      "mount --bind $D $D && mount -o remount,ro,bind $D",
      "fail",
      /is on a read-only file system$/,
    ],
    ["nearly full", "mount -t tmpfs -o size=1m none $D", "warn", /: \d+ KiB are left there$/],
    [
      "full",
      "mount -t tmpfs -o size=64k none $D && cat /dev/zero >$D/x || true",
      "fail",
      /no space is left there$/,
    ],
    ["out of inodes", "mount -t tmpfs -o nr_inodes=1 none $D", "fail", /no inodes are left there$/],
  ])("%s", async (_, prepare, state, says) => {
    const [executable] = executables();
    if (!executable) throw new Error("nothing was compiled");
    if (!hostLocal) throw new Error("no host-local");
    const worker = await makeWorker(
      server,
      { label: "", executable, hostLocal },
      { podCIDRs: ["10.1.2.0/24"] },
    );
    mkdirSync(worker.dataDir);
    const script = `D='${worker.dataDir}'; { ${prepare}; } 2>/dev/null; exec "$@"`;
    const wrapped = ["unshare", "--mount", "sh", "-ec", script, "sh", ...executable.command("kube-node")];
    const person = makePerson(worker, { label: "", command: () => wrapped });
    const answer = await person.run("doctor", "-o", "json", person.write());
    for (const check of ["leases", "state"])
      expect(about(answer, check)).toMatchObject([
        { state, says: expect.stringMatching(says), remedy: expect.stringMatching(/./) },
      ]);
  });
});
