import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin } from "../parts/plugin.ts";
import { putRecorder } from "./parts/recorder.ts";
import { describeHostLocals, describeSubjects, type Subject } from "./parts/subjects.ts";
import { makeWorker } from "./parts/worker.ts";

const versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
type Version = (typeof versions)[number];
const late = ["CHECK", "STATUS", "GC"] as const;
type Late = (typeof late)[number];

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const four = { address: "10.1.0.2/24", gateway: "10.1.0.1" };
const six = { address: "fd00:1::2/64", gateway: "fd00:1::1" };
const flat = ({ address, gateway }: typeof four) => ({ ip: address, gateway });

const shapes: Record<Version, object> = {
  "0.1.0": { ip4: flat(four), ip6: flat(six) },
  "0.2.0": { ip4: flat(four), ip6: flat(six) },
  "0.3.0": {
    ips: [
      { version: "4", ...four },
      { version: "6", ...six },
    ],
  },
  "0.3.1": {
    ips: [
      { version: "4", ...four },
      { version: "6", ...six },
    ],
  },
  "0.4.0": {
    ips: [
      { version: "4", ...four },
      { version: "6", ...six },
    ],
  },
  "1.0.0": { ips: [four, six] },
  "1.1.0": { ips: [four, six] },
};

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals("CNI versions", (subject) => {
  describe.each(versions)("%s", (cniVersion) => {
    const config = { cniVersion };
    const make = () => makeWorker(server, subject, { podCIDRs });

    it("ADD answers in this version's shape, DEL frees, and again, and without a namespace", async () => {
      const worker = await make();
      const { dns: _, ...result } = (await worker.call("ADD", { config })).json as Record<string, unknown>;
      expect(result).toEqual({ cniVersion, ...shapes[cniVersion] });
      expect(worker.leases()).toEqual({ "10.1.0.2": "c1 eth0", "fd00:1::2": "c1 eth0" });
      expect(worker.records()).toEqual(["c1:eth0"]);
      for (const netns of ["/var/run/netns/none", "/var/run/netns/none", null]) {
        await worker.pass("DEL", { config, netns });
        expect([worker.leases(), worker.records()]).toEqual([{}, []]);
      }
    });

    it("DEL of what was never added succeeds, without a namespace too", async () => {
      const worker = await make();
      await worker.pass("DEL", { config });
      await worker.pass("DEL", { config, netns: null });
    });

    const itWith = (verb: Late) => (has(verb, cniVersion) ? it : () => {});

    itWith("CHECK")("CHECK is good after ADD, and fails after DEL", async () => {
      const worker = await make();
      await worker.add({ config });
      await worker.pass("CHECK", { config });
      await worker.pass("DEL", { config });
      expect(await worker.fail("CHECK", { config })).toMatchObject({ cniVersion });
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    });

    itWith("STATUS")("STATUS and GC are there", async () => {
      const worker = await make();
      await worker.pass("STATUS", { config });
      await worker.pass("GC", { config: { ...config, "cni.dev/valid-attachments": [] } });
    });

    for (const verb of late.filter((verb) => !has(verb, cniVersion))) {
      it(`${verb} is refused with code 1, after an ADD too`, async () => {
        const worker = await make();
        await worker.call("ADD", { config });
        const garbage = { ...config, "cni.dev/valid-attachments": [] };
        expect(await worker.fail(verb, { config: garbage })).toMatchObject({
          cniVersion,
          code: 1,
          msg: `${verb} is not in CNI ${cniVersion}`,
        });
        expect(Object.values(worker.leases())).toEqual(["c1 eth0", "c1 eth0"]);
      });
    }
  });
});

describeSubjects("one call of each verb", (subject) => {
  it("CNI 1.1.0, whatever host-local speaks", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const config = { cniVersion: "1.1.0" };
    const { dns: _, ...result } = (await worker.call("ADD", { config })).json as Record<string, unknown>;
    expect(result).toEqual({ cniVersion: "1.1.0", ...shapes["1.1.0"] });
    for (const verb of ["CHECK", "STATUS", "DEL", "DEL", "GC"]) await worker.pass(verb, { config });
    expect(await worker.fail("CHECK", { config })).toMatchObject({ cniVersion: "1.1.0" });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("CNI 0.1.0, which a configuration without cniVersion means", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const config = { cniVersion: undefined };
    const { dns: _, ...result } = (await worker.call("ADD", { config })).json as Record<string, unknown>;
    expect(result).toEqual({ cniVersion: "0.1.0", ...shapes["0.1.0"] });
    await worker.pass("DEL", { config });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("a version that nobody knows: code 1 with those that are spoken, and nothing was leased", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    for (const cniVersion of ["1.2.0", "0.5.0", 1, "newest"]) {
      const failure = await worker.fail("ADD", { config: { cniVersion } });
      expect(failure).toMatchObject({ code: 1, details: expect.stringContaining(versions.join(", ")) });
    }
    expect([worker.leases(), worker.requests()]).toEqual([{}, []]);
  });
});

describeSubjects("VERSION", ({ executable }) => {
  const command = executable.command("kube-node");
  const ask = async (stdin: unknown, env: Record<string, string> = {}, wrap: string[] = []) => {
    const answer = await callPlugin({ command: [...wrap, ...command], verb: "VERSION", stdin, env });
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    return answer.json;
  };
  const newest = { cniVersion: "1.1.0", supportedVersions: versions };

  it.each([
    ["nothing on standard input", ""],
    ["rubbish", "\u0000\u0001 no JSON {"],
    ["an array", "[]"],
    ["a configuration without a version", { name: "net1" }],
    ["a version that nobody knows", { cniVersion: "9.9.9" }],
    ["a version that is a number", { cniVersion: 1 }],
  ])("says what is spoken, with %s", async (_, stdin) => {
    expect(await ask(stdin)).toEqual(newest);
  });

  it("answers in the version that was asked with, as libcni probes", async () => {
    expect(await ask({ cniVersion: "0.4.0" }, { CNI_PATH: "dummy", CNI_NETNS: "dummy" })).toEqual({
      ...newest,
      cniVersion: "0.4.0",
    });
  });

  it("answers where standard input is closed", async () => {
    expect(await ask("", {}, ["sh", "-c", 'exec "$0" "$@" <&-'])).toEqual(newest);
  });
});

describeSubjects("kube-node without CNI_COMMAND", ({ executable }) => {
  const run = (...words: string[]) => callPlugin({ command: [...executable.command("kube-node"), ...words] });

  it("says a few words on stderr, and succeeds", async () => {
    const answer = await run();
    expect(answer).toMatchObject({ exitCode: 0, stdout: "" });
    expect(answer.stderr).toMatch(/^kube-node .*CNI_COMMAND is not set/);
  });

  it("-version, --version, -h and --help are for people", async () => {
    for (const word of ["-version", "--version"]) expect((await run(word)).stdout).toMatch(/^kube-node \S+/);
    for (const word of ["-h", "--help"]) expect((await run(word)).stdout).toContain("ipv4-namespaces");
  });
});

describeHostLocals("CNI 1.1.0 over an old host-local", (subject) => {
  const config = { cniVersion: "1.1.0" };
  const inOldTimes = { ...shapes["1.1.0"], cniVersion: "1.1.0" };
  const why = speaks("1.1.0", subject) ? " (skipped: this host-local knows 1.1.0)" : "";

  it.skipIf(why !== "")(
    `it gets a configuration of 1.0.0, and its result the asked version${why}`,
    async () => {
      const worker = await makeWorker(server, subject, { podCIDRs });
      const recorder = putRecorder(worker, subject, "host-local");
      expect((await worker.call("ADD", { config })).json).toMatchObject(inOldTimes);
      await worker.pass("CHECK", { config });
      await worker.pass("DEL", { config });
      // What it speaks is found out once.
      expect(recorder.calls()).toEqual(["ADD", "VERSION", "ADD", "CHECK", "DEL"]);
      const given = ["ADD", "CHECK", "DEL"].map((verb) => recorder.stdin(verb)["cniVersion"]);
      expect(given).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    },
  );

  it("another one in its place is asked anew", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    worker.putProgram("host-local", speakingOnly("1.0.0", subject));
    expect((await worker.call("ADD", { config })).json).toMatchObject(inOldTimes);
    const recorder = putRecorder(worker, subject, "host-local");
    await worker.pass("DEL", { config });
    expect(recorder.inputs("DEL")[0]).toMatchObject({ cniVersion: "1.1.0" });
    expect(worker.leases()).toEqual({});
  });

  it("one that knows 0.4.0 alone is spoken to in that", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    worker.putProgram("host-local", speakingOnly("0.4.0", subject));
    expect((await worker.call("ADD", { config })).json).toMatchObject(inOldTimes);
    for (const verb of ["CHECK", "DEL"]) await worker.pass(verb, { config });
    expect(worker.leases()).toEqual({});
  });
});

/** A host-local of old times: it refuses every other version. */
function speakingOnly(version: string, { hostLocal }: Subject): string {
  return `#!/bin/sh
input=$(cat)
case $CNI_COMMAND,$input in
  VERSION,*) echo '{"cniVersion": "${version}", "supportedVersions": ["${version}"]}' ;;
  *'"cniVersion":"${version}"'*) printf %s "$input" | '${hostLocal.path}' ;;
  *) echo '{"code": 1, "msg": "incompatible CNI versions"}'; exit 1 ;;
esac
`;
}

function speaks(version: string, { hostLocal }: Subject): boolean {
  const env = { CNI_COMMAND: "VERSION" };
  return execaSync(hostLocal.path, { env, input: "" }).stdout.includes(`"${version}"`);
}

function has(verb: Late, version: Version): boolean {
  return versions.indexOf(version) >= versions.indexOf(verb === "CHECK" ? "0.4.0" : "1.1.0");
}
