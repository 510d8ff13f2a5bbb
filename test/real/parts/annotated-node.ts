import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { EmbeddedApiServer } from "../../parts/embedded-api-server.ts";
import { callPlugin, type PluginAnswer } from "../../parts/plugin.ts";
import { addressesIn, expectSilence, type Failure, readFailure } from "./answers.ts";
import { withMounts } from "./private-mounts.ts";
import { listLeases, listRecords } from "./store.ts";
import type { Subject } from "./subjects.ts";
import { makeWorker, type Worker } from "./worker.ts";

/** The annotation that these tests read. */
export const key = "example.com/ranges";

/** What of a call of node-annotation differs from the usual: container "c1", interface "eth0", network "mynet" of CNI 1.0.0. */
export type AnnotationDifference = {
  id?: string;
  /** CNI_ARGS' K8S_POD_NAMESPACE. */
  namespace?: string;
  config?: Record<string, unknown>;
  ipam?: Record<string, unknown>;
  /** What the node's own file says, over its kubeconfig; a text stands for itself. */
  file?: Record<string, unknown> | string;
  env?: Record<string, string>;
  /** The program as it is called, in the place of the executable's own. */
  command?: string[];
  wrap?: (command: string[]) => string[];
  cwd?: string;
};

/** A machine with node-annotation, whose /var/lib/cni is a folder of the test: its mount namespaces need root. */
export type AnnotatedNode = {
  worker: Worker;
  call(verb: string, difference?: AnnotationDifference): Promise<PluginAnswer>;
  add(difference?: AnnotationDifference): Promise<string[]>;
  pass(verb: string, difference?: AnnotationDifference): Promise<PluginAnswer>;
  fail(verb: string, difference?: AnnotationDifference): Promise<Failure>;
  /** What a person types: words behind the program's name, and what is on standard input. */
  run(words: string[], stdin?: unknown, difference?: AnnotationDifference): Promise<PluginAnswer>;
  leases(): Record<string, string>;
  records(): string[];
  /** The folder that stands in for /var/lib/cni. */
  varLibCni: string;
};

/** `body` is the annotation's text; the kubeconfig has the kubelet's credentials unless `spec` says otherwise. */
export async function makeAnnotatedNode(
  server: EmbeddedApiServer,
  subject: Subject,
  body?: string,
  spec: Parameters<typeof makeWorker>[2] = {},
): Promise<AnnotatedNode> {
  const annotations = body === undefined ? {} : { annotations: { [key]: body } };
  const worker = await makeWorker(server, subject, { ...annotations, ...spec });
  const varLibCni = join(worker.folder, "cni");
  const file = join(worker.folder, "node-annotation.conf");
  mkdirSync(varLibCni);

  /** Words are a person's; without them it is a runtime's call. */
  function prepare(difference: AnnotationDifference, words: string[]) {
    const { wrap = (command: string[]) => command, env, cwd } = difference;
    const content = difference.file ?? {};
    const text = { kubeconfig: worker.kubeconfig, ...(content as object) };
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(text));
    const command = [...(difference.command ?? subject.executable.command("node-annotation")), ...words];
    return {
      command: withMounts({ "/var/lib/cni": varLibCni }, wrap(command)),
      env: { NODE_ANNOTATION_CFG: file, ...env },
      ...(cwd !== undefined && { cwd }),
    };
  }

  function call(verb: string, difference: AnnotationDifference = {}): Promise<PluginAnswer> {
    const { id = "c1", namespace, config, ipam } = difference;
    return callPlugin({
      ...prepare(difference, []),
      verb,
      ...(verb !== "GC" && verb !== "STATUS" && attachment(id, namespace)),
      path: worker.path,
      stdin: {
        cniVersion: "1.0.0",
        name: "mynet",
        type: "ipvlan",
        master: "eth0",
        ipam: { type: "node-annotation", annotation: key, ...ipam },
        ...config,
      },
    });
  }

  return {
    worker,
    varLibCni,
    call,
    add: async (difference) => addressesIn(await call("ADD", difference)),
    pass: async (verb, difference) => expectSilence(await call(verb, difference)),
    fail: async (verb, difference) => readFailure(await call(verb, difference)),
    run: (words, stdin, difference = {}) => callPlugin({ ...prepare(difference, words), stdin }),
    leases: () => listLeases(join(varLibCni, "networks/mynet")),
    records: () => listRecords(join(varLibCni, "networks/.kube-node/mynet")),
  };
}

function attachment(containerID: string, namespace?: string) {
  const args = namespace === undefined ? {} : { args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace}` };
  return { containerID, ifname: "eth0", netns: "/var/run/netns/none", ...args };
}

/** The exit status and standard output of a person's command that has to succeed. */
export function textOf(answer: PluginAnswer): string {
  expect(answer, answer.stderr).toMatchObject({ exitCode: 0, stderr: "" });
  return answer.stdout;
}
