// node-annotation as a person calls it: trying a configuration out, and the original's commands.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { key, makeAnnotatedNode, textOf } from "./parts/annotated-node.ts";
import { beginOutage } from "./parts/outage.ts";
import { privateMounts } from "./parts/private-mounts.ts";
import { describeSubjects, onlyCompiled } from "./parts/subjects.ts";

const lack = whatLacks(privateMounts());
const body = '"ranges": [\n  { "subnet": "4000::16.0.0.0/120" },\n  { "subnet": "16.0.0.0/24" }\n]';
const testCfg = {
  name: "mynet",
  type: "ipvlan",
  master: "eth0",
  ipam: { type: "node-annotation", annotation: key },
};
const { name: _, ...nameless } = testCfg;
const cat = { file: { nextipam: "cat" } };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("node-annotation in a terminal", (subject) => {
  const itCompiled = onlyCompiled(subject);

  describe.skipIf(lack.some)(`with commands${lack.words}`, () => {
    const make = (text: string | undefined = body) => makeAnnotatedNode(server, subject, text);

    it("cat test.cfg | node-annotation, with nextipam cat: the configuration that the delegate would get", async () => {
      const node = await make();
      const synthesized = `{
  "name": "mynet",
  "type": "ipvlan",
  "master": "eth0",
  "ipam": {
    "type": "cat",
    "ranges": [
      {
        "subnet": "4000::16.0.0.0/120"
      },
      {
        "subnet": "16.0.0.0/24"
      }
    ]
  }
}
`;
      expect(textOf(await node.run([], testCfg, cat))).toBe(synthesized);
      expect(textOf(await node.run(["ipam"], testCfg, cat))).toBe(synthesized);
      expect(textOf(await node.run([], nameless, cat))).toBe(synthesized.replace('  "name": "mynet",\n', ""));
    });

    it("trying out keeps nothing", async () => {
      const node = await make();
      await node.run([], testCfg, cat);
      expect(readdirSync(node.varLibCni, { recursive: true })).toEqual([]);
    });

    it("trying out prints whatever the program prints, host-local's nesting included", async () => {
      const node = await make();
      const words = node.worker.putProgram("words", "#!/bin/sh\necho words $(wc -w)\n");
      expect(textOf(await node.run([], testCfg, { file: { nextipam: words } }))).toMatch(/^words \d+\n$/);
      node.worker.putProgram("host-local", "#!/bin/sh\ncat\n");
      const file = { nextipam: join(node.worker.bin, "host-local") };
      expect(JSON.parse(textOf(await node.run([], testCfg, { file })))).toMatchObject({
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: "4000::16.0.0.0/120" }], [{ subnet: "16.0.0.0/24" }]],
        },
      });
    });

    itCompiled("trying out: errors are CNI errors on stdout, and the exit isn't 0", async () => {
      const node = await make("ranges: [");
      const cases = [
        [testCfg, cat, 103],
        ["", cat, 6],
        [{ ...testCfg, ipam: {} }, cat, 7],
        [testCfg, { file: "{" }, 7],
      ] as const;
      for (const [stdin, difference, code] of cases) {
        const answer = await node.run([], stdin, difference);
        expect(answer).toMatchObject({ exitCode: 1, json: { code, msg: expect.stringMatching(/./) } });
      }
      await node.worker.annotate(key, body);
      expect((await node.run([], testCfg, { file: { nextipam: "no-such-program" } })).json).toMatchObject({
        code: 5,
      });
      const failing = node.worker.putProgram("failing", "#!/bin/sh\ncat >/dev/null\necho sorry\nexit 3\n");
      expect(await node.run([], testCfg, { file: { nextipam: failing } })).toMatchObject({
        exitCode: 1,
        json: { code: 100, msg: expect.stringContaining("exit code 3"), details: "sorry\n" },
      });
    });

    itCompiled("with CNI_COMMAND but no other variable: 4, as for any plugin", async () => {
      const node = await make();
      const answer = await node.run([], testCfg, { ...cat, env: { CNI_COMMAND: "ADD" } });
      expect(answer).toMatchObject({
        exitCode: 1,
        json: { code: 4, msg: expect.stringContaining("CNI_PATH") },
      });
    });

    it("my_node prints the own Node, all of it", async () => {
      const node = await make();
      const answer = await node.run(["my_node"]);
      expect(JSON.parse(textOf(answer))).toEqual(await server.getNode(node.worker.name));
    });

    it("get_annotation prints the text as it stands there", async () => {
      const node = await make();
      expect(textOf(await node.run(["get_annotation", key]))).toBe(`${body}\n`);
      await node.worker.annotate("example.com/void", "null and void");
      expect(textOf(await node.run(["get_annotation", "example.com/void"]))).toBe("null and void\n");
    });

    it("get_annotation --node=NODE reads another Node", async () => {
      const node = await make();
      onTestFinished(() => server.deleteNode("other"));
      await server.createNode({ name: "other", annotations: { [key]: "ranges: []" } });
      const identity = { kind: "serviceAccount", namespace: "default", name: "me", mayRead: "all" } as const;
      writeFileSync(node.worker.kubeconfig, await server.kubeconfigFor(identity));
      expect(textOf(await node.run(["get_annotation", "--node=other", key]))).toBe("ranges: []\n");
      expect(node.worker.requests()).toEqual(["GET /api/v1/nodes/other"]);
    });

    it.each([
      [
        "an annotation that isn't there",
        ["get_annotation", "none"],
        1,
        /has no annotation none.*example\.com\/ranges/,
      ],
      ["a Node that isn't there", ["get_annotation", "--node=none", key], 1, /none/],
      ["no annotation", ["get_annotation"], 2, /usage: node-annotation get_annotation/],
      ["a flag that is none", ["get_annotation", "--nod=x", key], 2, /expected --node=NODE/],
      ["a command that is none", ["get_annotations", key], 2, /unknown command "get_annotations"/],
    ])("%s: a sentence on stderr, and the exit isn't 0", async (_what, words, exitCode, expected) => {
      const node = await make();
      const answer = await node.run(words);
      expect(answer).toMatchObject({ exitCode, stdout: "" });
      expect(answer.stderr).toMatch(expected);
      expect(answer.stderr).not.toMatch(/^\s+at /m);
    });

    it("my_node without an API server says why", async () => {
      const node = await make();
      await beginOutage(server);
      const answer = await node.run(["my_node"]);
      expect(answer).toMatchObject({ exitCode: 1, stdout: "" });
      expect(answer.stderr).toMatch(/refused the connection/);
    });

    itCompiled("error_quit prints an error as CNI has it, and fails", async () => {
      const node = await make();
      const { exitCode, json } = await node.run(["error_quit", "no more addresses"]);
      expect([exitCode, json]).toEqual([
        1,
        { cniVersion: "1.1.0", code: 11, msg: "FAILED: no more addresses" },
      ]);
      expect((await node.run(["error_quit"])).json).toMatchObject({
        code: 11,
        msg: "FAILED: node-annotation",
      });
    });

    it("-h, help and --help tell of the commands, and need nothing", async () => {
      const node = await make();
      for (const word of ["-h", "help", "--help", "HELP"]) {
        const text = textOf(await node.run([word], undefined, { file: "not JSON" }));
        for (const command of ["ipam", "my_node", "get_annotation", "error_quit"])
          expect(text).toContain(command);
      }
      expect(textOf(await node.run(["--version"]))).toMatch(/^node-annotation \S/);
      expect(node.worker.requests()).toEqual([]);
    });
  });
});
