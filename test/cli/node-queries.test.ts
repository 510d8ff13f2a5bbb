import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { machineIDs } from "../../src/host/machine.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { describeSubjects, onlyCompiled } from "../real/parts/subjects.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { makePerson } from "./person.ts";

const key = "example.com/net1";

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("kube-node my-node and get-annotation", (subject) => {
  const itCompiled = onlyCompiled(subject);
  const make = async (spec: Parameters<typeof makeWorker>[2] = { annotations: { [key]: "10.1.2.0/24" } }) => {
    const worker = await makeWorker(server, subject, spec);
    return {
      worker,
      person: makePerson(worker, subject.executable),
      flag: `--kubeconfig=${worker.kubeconfig}`,
    };
  };

  it("find the own Node by the credentials", async () => {
    const { worker, person, flag } = await make();
    const answer = await person.run("my-node", flag);
    expect(answer).toMatchObject({ exitCode: 0, stderr: "", json: await server.getNode(worker.name) });
    expect(await person.run("get-annotation", flag, key)).toMatchObject({
      exitCode: 0,
      stdout: "10.1.2.0/24\n",
    });
  });

  itCompiled("take credentials and name from a configuration, a flag, or the environment", async () => {
    const { worker, person } = await make();
    const all = { kind: "serviceAccount", namespace: "default", name: "all", mayRead: "all" } as const;
    const kubeconfig = `${worker.folder}/all`;
    writeFileSync(kubeconfig, await server.kubeconfigFor(all));
    onTestFinished(() => server.deleteNode("other"));
    await server.createNode({ name: "other", annotations: { [key]: "10.9.0.0/24" } });
    const name = ({ json }: { json: unknown }) => (json as { metadata: { name: string } }).metadata.name;
    const conf = person.write({ kubeconfig, nodeName: worker.name });
    expect(name(await person.run("my-node", "--config", conf))).toBe(worker.name);
    expect(name(await person.run("my-node", `--config=${conf}`, "--node=other"))).toBe("other");
    const env = { KUBECONFIG: kubeconfig, NODE_NAME: "other" };
    expect(name(await person.runWith({ env }, "my-node"))).toBe("other");
    expect((await person.run("get-annotation", "--config", conf, "--node=other", key)).stdout).toBe(
      "10.9.0.0/24\n",
    );
    expect((await person.run("get-annotation", "--config", conf, key)).stdout).toBe("10.1.2.0/24\n");
  });

  itCompiled("find the own Node by the machine's id, too", async () => {
    const [machineID = ""] = machineIDs();
    const identity = { kind: "serviceAccount", namespace: "default", name: "list", mayRead: "all" } as const;
    const { worker, person, flag } = await make({ machineID, identity });
    expect(await person.run("my-node", flag)).toMatchObject({
      exitCode: 0,
      json: { metadata: { name: worker.name } },
    });
  });

  itCompiled("say in a sentence what is wrong", async () => {
    const { person, flag } = await make();
    const cases: [string[], number, RegExp][] = [
      [
        ["get-annotation", flag, "none"],
        1,
        /^kube-node: Node \S+ has no annotation none: it has example\.com\/net1$/,
      ],
      [["get-annotation", flag, "--node=elsewhere", key], 1, /^kube-node: .*elsewhere/],
      [
        ["get-annotation", flag],
        2,
        /^kube-node: missing required argument 'KEY'; kube-node get-annotation --help/,
      ],
      [
        ["my-node", "--kubeconfig=none"],
        1,
        /^kube-node: the kubeconfig none is absent: make it, or name another$/,
      ],
      [["my-node", "--config=none"], 1, /^kube-node: none: there is no such file: /],
      [["my-nod"], 2, /^kube-node: unknown command 'my-nod' \(Did you mean my-node\?\); kube-node -h/],
    ];
    for (const [words, exitCode, sentence] of cases) {
      const answer = await person.run(...words);
      expect(answer).toMatchObject({ exitCode, stdout: "" });
      expect(answer.stderr.trimEnd()).toMatch(sentence);
    }
    await beginOutage(server);
    const answer = await person.run("my-node", flag);
    expect(answer).toMatchObject({ exitCode: 1, stdout: "" });
    expect(answer.stderr).toMatch(/refused the connection\n$/);
  });
});

describeSubjects("kube-node without a command", (subject) => {
  it("says what it is, and -h and --version say more", async () => {
    const person = makePerson(await makeWorker(server, subject), subject.executable);
    const alone = await person.run();
    expect(alone).toMatchObject({ exitCode: 0, stdout: "" });
    expect(alone.stderr).toMatch(
      /^kube-node .*: a CNI IPAM plugin that a container runtime calls; CNI_COMMAND is not set\./,
    );
    for (const flag of ["-version", "--version"])
      expect(await person.run(flag)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/^kube-node \S/),
      });
    for (const word of ["-h", "help", "--help", "-help"]) {
      const { exitCode, stdout } = await person.run(word);
      expect(exitCode).toBe(0);
      for (const part of ["Keys of ipam:", "Commands (kube-node COMMAND --help says more):", "  synthesize "])
        expect(stdout).toContain(part);
    }
    const help = await person.run("help", "ranges");
    expect(help).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: (await person.run("ranges", "-h")).stdout,
    });
    expect(help.stdout).toMatch(/^Usage: kube-node ranges \[options\] <CONF>\n/);
  });
});
