import { defineCommand, output, toggle } from "./command.ts";
import { confInput, readConfiguration } from "./configuration.ts";
import { watchForInterrupt } from "./interrupt.ts";
import { describeStderr } from "./log-words.ts";
import { podInputs, readPod } from "./pod.ts";
import { readRequest } from "./request.ts";
import { type Report, runTrial, type TrialStep } from "./run-trial.ts";
import type { Terminal } from "./terminal.ts";
import { makeTrial, type Trial } from "./trial.ts";

export const tryOut = defineCommand({
  name: "try",
  summary: "a whole ADD, CHECK and DEL for a throw-away container",
  details: [
    "As root, and where the main plugin (bridge, …) is in CNI_PATH, that plugin is executed as a runtime would, on a network",
    "namespace that is made for it; else kube-node alone. The address is a real one of the network's, for the moment. Nothing",
    "is left behind, nor after a failure or Ctrl-C: no lease, no record, no namespace, and no bridge that wasn't there before.",
    "Of a conflist, the plugin with kube-node is executed, not those chained to it.",
  ].join(" "),
  inputs: {
    conf: confInput,
    ...podInputs,
    ipamOnly: toggle("call kube-node alone, even where the main plugin could be executed"),
    output,
  },
  examples: [
    ["kube-node try /etc/cni/net.d/10-net1.conflist", "would a pod of this network get an address?"],
    ["kube-node try --pod=db/mysql-0 net1.conf", "the same for a pod of a namespace"],
    ["kube-node try --ipam-only -o json net1.conf | jq '.steps[].milliseconds'", "how long kube-node takes"],
  ],
  fails: "a step failed, or something is left",
  async run({ conf, ipamOnly, output, ...whose }, plain) {
    const terminal = noteOnce(plain);
    const pod = readPod(whose);
    const configuration = readConfiguration(conf);
    const request = await readRequest(configuration, terminal);
    const isTable = output === "table";
    const interrupt = watchForInterrupt((signal) => terminal.note(`${signal}: putting away what was made`));
    const steps: TrialStep[] = [];
    const report: Report = (step, stderr = "") => {
      for (const words of describeStderr(stderr)) terminal.note(words);
      steps.push(step);
      if (isTable) terminal.say(describe(step, step.ok ? (text) => text : terminal.paint.red));
    };
    let trial: Trial | undefined;
    try {
      trial = await makeTrial({ configuration, request, pod, ipamOnly });
      for (const note of trial.notes) terminal.note(note);
      if (isTable)
        terminal.say(`network ${request.network.name}: ${trial.what}, container ${trial.containerID}\n`);
      await runTrial(trial, interrupt, report);
    } finally {
      await trial?.sandbox?.remove(); // Where it never came to the trial: a pipe that nobody reads any more.
      interrupt.end();
    }
    if (!isTable) terminal.say(JSON.stringify({ network: request.network.name, steps }, null, 2));
    return steps.every(({ ok }) => ok) && interrupt.by === undefined ? 0 : 1;
  },
});

/** Each step's call, and our own reading of the configuration, may have the same to say. */
function noteOnce(terminal: Terminal): Terminal {
  const noted = new Set<string>();
  const note = (text: string) => {
    if (!noted.has(text)) terminal.note(text);
    noted.add(text);
  };
  return { ...terminal, note };
}

function describe({ step, milliseconds, says }: TrialStep, paint: (text: string) => string): string {
  const time = milliseconds === undefined ? "" : `${milliseconds} ms`;
  return `${step.padEnd(8)}${time.padStart(8)}   ${paint(says)}`;
}
