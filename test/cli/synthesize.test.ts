import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { describeSubjects } from "../real/parts/subjects.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { makePerson } from "./person.ts";

const key = "example.com/net1";

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("kube-node synthesize", (subject) => {
  const make = async (spec: Parameters<typeof makeWorker>[2]) => {
    const worker = await makeWorker(server, subject, spec);
    return { worker, person: makePerson(worker, subject.executable) };
  };

  it("prints what the delegate gets, to the letter", async () => {
    const value = '{"ranges": [[{"subnet": "10.1.2.0/24"}]], "routes": [{"dst": "10.9.0.0/16"}]}';
    const { worker, person } = await make({ annotations: { [key]: value } });
    worker.putProgram(
      "recorder",
      `#!/bin/sh\ncat >'${worker.folder}/got'\necho '{"cniVersion": "1.0.0", "ips": [{"address": "10.1.2.2/24"}]}'\n`,
    );
    const ipam = {
      annotation: key,
      nextipam: "recorder",
      routes: [{ dst: "0.0.0.0/0" }],
      "ipv4-namespaces": ["db"],
    };
    const answer = await person.run("synthesize", "--namespace=db", person.write(ipam));
    expect(answer.exitCode).toBe(0);
    expect(existsSync(worker.dataDir)).toBe(false);
    await worker.add({ ipam, namespace: "db" });
    expect(answer.json).toEqual(JSON.parse(readFileSync(join(worker.folder, "got"), "utf8")));
  });

  it("says which key came from where", async () => {
    const value = '{"ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00::/64"}]], "routes": []}';
    const { worker, person } = await make({ annotations: { [key]: value } });
    const conf = person.write({
      annotation: key,
      routes: [],
      resolvConf: "/etc/resolv.conf",
      "ipv4-namespaces": ["db"],
    });
    const { stderr, json } = await person.run("synthesize", "--pod=web/nginx", conf);
    expect((json as { ipam: object }).ipam).toMatchObject({ ranges: [[{ subnet: "fd00::/64" }]] });
    const table = Object.fromEntries(stderr.split("\n").map((line) => line.split(/ {3,}/, 2)));
    const node = `annotation ${key} of Node ${worker.name}, asked now`;
    expect(table).toMatchObject({
      KEY: "FROM",
      name: "configuration",
      "ipam.type": "the delegate, host-local by default",
      "ipam.dataDir": "configuration",
      "ipam.resolvConf": "configuration",
      "ipam.routes": `configuration, then ${node}`,
      "ipam.ranges": `${node}; IPv4 taken out`,
      "ipam.annotation": "configuration; for us, not passed on",
    });
    expect(stderr).toContain(
      "IPv4 is for the namespaces db alone, by ipam.ipv4-namespaces: not for namespace web.",
    );
  });

  it("says why a pod could not have addresses", async () => {
    const { person } = await make({ podCIDRs: ["10.1.2.0/24"] });
    const answer = await person.run("synthesize", person.write({ "ipv4-namespaces": ["db"] }));
    expect(answer).toMatchObject({ exitCode: 1, stdout: "" });
    expect(answer.stderr).toMatch(
      /^kube-node: Node \S+ has only IPv4 ranges, and this pod may not have IPv4: .*unknown namespace/,
    );
    const wrong = await person.run("synthesize", "--pod=a/b", "--namespace=c", person.write());
    expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
  });

  it("does so for node-annotation too, with the node's own file", async () => {
    const { worker, person } = await make({ annotations: { [key]: 'ranges: [{subnet: "10.1.2.0/24"}]' } });
    const file = join(worker.folder, "node-annotation.conf");
    writeFileSync(file, JSON.stringify({ kubeconfig: worker.kubeconfig, nextipam: "host-local" }));
    const whole = {
      name: "mynet",
      type: "ipvlan",
      ipam: { type: "node-annotation", annotation: key, dataDir: "/x" },
    };
    const answer = await person.runWith(
      { env: { NODE_ANNOTATION_CFG: file } },
      "synthesize",
      person.write({}, whole),
    );
    expect(answer).toMatchObject({ exitCode: 0 });
    expect(answer.json).toEqual({
      ...whole,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.1.2.0/24" }]] },
    });
    expect(answer.stderr).toMatch(/ipam\.dataDir +configuration; for us, not passed on/);
  });
});
