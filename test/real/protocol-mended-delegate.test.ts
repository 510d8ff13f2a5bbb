// "Mend: kube-node", items 7, 12, 13, 15 and 16: what passes between the runtime and the delegate.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { failing } from "./parts/delegates.ts";
import { putRecorder } from "./parts/recorder.ts";
import { describeSubjects, onlyCompiled } from "./parts/subjects.ts";
import { makeWorker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("mended in kube-node: the delegate", (subject) => {
  const itCompiled = onlyCompiled(subject);

  const make = (spec: Parameters<typeof makeWorker>[2] = { podCIDRs }) => makeWorker(server, subject, spec);

  it("7: routes, resolvConf, args, runtimeConfig, prevResult and the rest reach the delegate", async () => {
    const worker = await make({ podCIDRs: ["10.1.0.0/24"] });
    const recorder = putRecorder(worker, subject, "recorder");
    const resolvConf = join(worker.folder, "resolv.conf");
    writeFileSync(resolvConf, "nameserver 192.0.2.53\nsearch example.org\n");
    const passedOn = { routes: [{ dst: "192.168.0.0/16", gw: "10.1.0.1" }], resolvConf, vlan: { id: 7 } };
    const top = {
      args: { cni: { ips: ["10.1.0.77"] }, labels: [{ key: "app", value: "web" }] },
      runtimeConfig: { portMappings: [{ hostPort: 80 }], mac: "c2:11:22:33:44:55" },
      prevResult: { cniVersion: "1.0.0", ips: [], interfaces: [{ name: "eth0" }] },
      capabilities: { mac: true },
      "cni.dev/valid-attachments": [{ containerID: "c9", ifname: "eth0" }],
      "example.com/own": [1, { two: null }],
    };
    const call = { ipam: { nextipam: "recorder", ...passedOn }, config: top, namespace: "web" };
    const answer = await worker.call("ADD", call);
    expect(answer.json).toMatchObject({
      ips: [{ address: "10.1.0.77/24" }],
      routes: passedOn.routes,
      dns: { nameservers: ["192.0.2.53"], search: ["example.org"] },
    });
    await worker.pass("CHECK", call);
    await worker.pass("DEL", call);
    for (const verb of ["ADD", "CHECK", "DEL"]) {
      expect(recorder.stdin(verb)).toEqual({
        cniVersion: "1.0.0",
        name: "net1",
        type: "bridge",
        ...top,
        ipam: {
          type: "recorder",
          dataDir: worker.dataDir,
          ranges: [[{ subnet: "10.1.0.0/24" }]],
          ...passedOn,
        },
      });
      expect(recorder.env(verb)).toMatchObject({
        CNI_COMMAND: verb,
        CNI_CONTAINERID: "c1",
        CNI_IFNAME: "eth0",
        CNI_NETNS: "/var/run/netns/none",
        CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=web",
        CNI_PATH: expect.stringContaining(subject.hostLocal.folder),
      });
    }
  });

  itCompiled("7: CNI_ARGS' IP is the address that the delegate gives", async () => {
    const worker = await make({ podCIDRs: ["10.1.0.0/24"] });
    expect(await worker.add({ args: "IgnoreUnknown=1;IP=10.1.0.99;K8S_POD_NAMESPACE=web" })).toEqual([
      "10.1.0.99",
    ]);
  });

  it("12: VERSION runs no delegate and asks nobody", async () => {
    const worker = await make();
    const recorder = putRecorder(worker, subject, "host-local");
    const answer = await worker.call("VERSION");
    expect(answer.json).toMatchObject({ cniVersion: "1.0.0" });
    expect([recorder.calls(), worker.requests()]).toEqual([[], []]);
  });

  it("13: environment and name are checked, and the delegate's own code passes through", async () => {
    const worker = await make();
    const recorder = putRecorder(worker, subject, "host-local");
    const faults = [
      [{ netns: null }, 4, "CNI_NETNS"],
      [{ id: "../c1" }, 4, "CNI_CONTAINERID"],
      [{ ifname: "a/b" }, 4, "CNI_IFNAME"],
      [{ config: { name: "../net" } }, 7, "name"],
    ] as const;
    for (const [difference, code, words] of faults) {
      const expected = { code, msg: expect.stringContaining(words) };
      expect(await worker.fail("ADD", difference)).toMatchObject(expected);
    }
    expect([recorder.calls(), worker.requests()]).toEqual([[], []]);
    for (const [code, exit] of Object.entries({ 3: 1, 11: 1, 999: 1, 1234: 77 })) {
      worker.putProgram("host-local", failing(Number(code), `error ${code}`, exit));
      expect(await worker.fail("ADD", { config: { cniVersion: "0.4.0" } })).toEqual({
        cniVersion: "0.4.0",
        code: Number(code),
        msg: `error ${code}`,
        details: "in words",
      });
    }
    expect(worker.records()).toEqual([]);
  });

  it("13: a delegate that fails before it reads its input passes through, too", async () => {
    const worker = await make();
    const hasty = `#!/bin/sh\necho '{"code": 4, "msg": "no"}'\nexit 1\n`;
    for (const name of ["host-local", "hasty"]) {
      worker.putProgram(name, hasty);
      for (let n = 0; n < 5; n++) {
        const failure = await worker.fail("ADD", { ipam: { nextipam: name }, id: `c${n}` });
        expect(failure).toMatchObject({ code: 4, msg: "no" });
      }
    }
  });

  it("15: the delegate's stderr reaches ours", async () => {
    const worker = await make();
    worker.putProgram(
      "host-local",
      `#!/bin/sh\necho "disk is nearly full" >&2\nexec '${subject.hostLocal.path}'\n`,
    );
    expect((await worker.call("ADD")).stderr).toBe("disk is nearly full\n");
    worker.putProgram("host-local", `#!/bin/sh\ncat >/dev/null; echo "disk is full" >&2\nexit 3\n`);
    const answer = await worker.call("CHECK");
    expect(answer).toMatchObject({
      stderr: "disk is full\n",
      json: { code: 100, msg: expect.stringMatching(/exit code 3/) },
    });
  });

  it("15: out of time, the delegate is asked to end and may finish its write", async () => {
    const worker = await make();
    const slow = `#!/bin/sh
trap 'sleep 0.3; echo whole >"${worker.folder}/written"; exit 1' TERM
sleep 20 >/dev/null 2>&1 & wait
`;
    worker.putProgram("host-local", slow);
    const failure = await worker.fail("ADD", { ipam: { timeout: 2 } });
    expect(failure).toMatchObject({
      code: 100,
      msg: expect.stringMatching(/was ended, the call's 2 s being nearly over/),
    });
    expect(readFileSync(join(worker.folder, "written"), "utf8")).toBe("whole\n");
    // It may have leased before its end: the record stays, so that DEL and GC find it.
    expect(worker.records()).toEqual(["c1:eth0"]);
  });

  itCompiled("16: there are STATUS and GC", async () => {
    const worker = await make();
    const config = { cniVersion: "1.1.0" };
    await worker.pass("STATUS", { config });
    await worker.add({ config });
    await worker.pass("GC", { config: { ...config, "cni.dev/valid-attachments": [] } });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });
});
