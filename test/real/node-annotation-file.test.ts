// The node's own file of node-annotation: where it lies, and the delegate that it chooses.
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { makeAnnotatedNode } from "./parts/annotated-node.ts";
import { addressesIn } from "./parts/answers.ts";
import { answering } from "./parts/delegates.ts";
import { installPrograms } from "./parts/install.ts";
import { beginOutage } from "./parts/outage.ts";
import { privateMounts, withMounts } from "./parts/private-mounts.ts";
import { putRecorder } from "./parts/recorder.ts";
import { describeHostLocals, describeSubjects, rowsFor } from "./parts/subjects.ts";

const lack = whatLacks(privateMounts());
const body = 'ranges: [[{subnet: "172.16.5.0/24"}]]';

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("node-annotation's own file", (subject) => {
  describe.skipIf(lack.some)(`over host-local${lack.words}`, () => {
    const make = (text?: string) => makeAnnotatedNode(server, subject, text);

    it("a configuration can't choose the program that root runs, the node's own file can", async () => {
      const node = await make(body);
      const recorder = putRecorder(node.worker, subject, "recorder");
      const path = join(node.worker.bin, "recorder");
      for (const nextipam of ["recorder", path]) {
        await node.add({ ipam: { nextipam } });
        await node.pass("DEL", { ipam: { nextIPAM: nextipam } });
      }
      expect(recorder.calls()).toEqual([]);
      await node.add({ file: { nextipam: path } });
      expect(recorder.calls()).toEqual(["ADD"]);
    });

    it.each(rowsFor(subject, ["/opt/cni/bin/node-annotation", "kube-node", "node-annotation"]))(
      "nextipam %s would call itself",
      async (nextipam) => {
        const node = await make(body);
        expect(await node.fail("ADD", { file: { nextipam } })).toMatchObject({
          code: 7,
          details: expect.stringContaining("would call itself"),
        });
      },
    );

    it("the node's own file is named by $NODE_ANNOTATION_CFG, relative to the working folder too", async () => {
      const node = await make(body);
      const file = { nextipam: "missing-one" };
      const env = { NODE_ANNOTATION_CFG: "./node-annotation.conf" };
      expect(await node.fail("ADD", { file, env, cwd: node.worker.folder })).toMatchObject({
        code: 5,
        msg: "delegate plugin missing-one not found",
      });
    });

    it("without that variable it is /etc/cni/node-annotation.conf, and it needn't be there", async () => {
      const node = await make(body);
      const etc = join(node.worker.folder, "etc");
      cpSync("/etc", etc, { recursive: true, filter: (path) => /^\/etc(\/machine-id)?$/.test(path) });
      const inEtc = { wrap: (command: string[]) => withMounts({ "/etc": etc }, command) };
      const env = { NODE_ANNOTATION_CFG: "", KUBECONFIG: node.worker.kubeconfig };
      expect(await node.add({ ...inEtc, env })).toEqual(["172.16.5.2"]);
      const recorder = putRecorder(node.worker, subject, "recorder");
      mkdirSync(join(etc, "cni"));
      const file = { kubeconfig: node.worker.kubeconfig, nextipam: join(node.worker.bin, "recorder") };
      writeFileSync(join(etc, "cni/node-annotation.conf"), JSON.stringify(file));
      expect(await node.add({ ...inEtc, env: { NODE_ANNOTATION_CFG: "" }, id: "c2" })).toEqual([
        "172.16.5.3",
      ]);
      expect(recorder.calls()).toEqual(["ADD"]);
    });

    it("log in the node's own file is where warnings go", async () => {
      const node = await make(body);
      const log = join(node.worker.folder, "annotation.log");
      await node.add({ file: { log } });
      await beginOutage(server);
      const answer = await node.call("ADD", { file: { log }, id: "c2" });
      expect([addressesIn(answer), answer.stderr]).toEqual([["172.16.5.3"], ""]);
      const line = { plugin: "node-annotation", network: "mynet", level: 40 };
      expect(JSON.parse(readFileSync(log, "utf8"))).toMatchObject(line);
    });
  });
});

describeHostLocals("nextipam of node-annotation", (subject) => {
  describe.skipIf(lack.some)(`in the node's own file${lack.words}`, () => {
    /** A folder with node-annotation, and recorders in each place where a delegate may lie. */
    async function makePlaces() {
      const node = await makeAnnotatedNode(server, subject, body);
      const own = join(node.worker.folder, "own");
      const inPath = join(node.worker.folder, "in-path");
      for (const folder of [own, inPath]) mkdirSync(folder);
      installPrograms(subject, own);
      const call = { command: [join(own, "node-annotation")] };
      return { node, own, inPath, call, PATH: `${inPath}:${process.env["PATH"]}` };
    }

    it("a name is looked for in CNI_PATH, then in the own folder, then in PATH", async () => {
      const { node, own, inPath, call, PATH } = await makePlaces();
      const put = (folder: string, address: string) =>
        symlinkSync(
          node.worker.putProgram(`answer-${address}`, answering(address)),
          join(folder, "some-ipam"),
        );
      const add = (id: string) => node.add({ ...call, file: { nextipam: "some-ipam" }, env: { PATH }, id });
      expect(await node.fail("ADD", { ...call, file: { nextipam: "some-ipam" } })).toMatchObject({
        code: 5,
        details: expect.stringContaining(own),
      });
      put(inPath, "10.0.0.3");
      expect(await add("c1")).toEqual(["10.0.0.3"]);
      put(own, "10.0.0.2");
      expect(await add("c2")).toEqual(["10.0.0.2"]);
      put(node.worker.bin, "10.0.0.1");
      expect(await add("c3")).toEqual(["10.0.0.1"]);
    });

    it("without one it is host-local of the own folder, else of CNI_PATH", async () => {
      const { node, own, call } = await makePlaces();
      expect(await node.add(call)).toEqual(["172.16.5.2"]);
      symlinkSync(node.worker.putProgram("answer", answering("10.0.0.9")), join(own, "host-local"));
      expect(await node.add({ ...call, id: "c2" })).toEqual(["10.0.0.9"]);
    });
  });
});
